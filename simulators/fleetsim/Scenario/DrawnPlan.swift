/// All that is drawn for a scenario before it is played.
protocol DrawnPlan: Sendable {
    /// The whole plan, line by line.
    /// - Parameter write: Called with each line, in order.
    func print(_ write: (String) -> Void)
}
