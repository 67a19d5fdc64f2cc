import Testing

extension SystemTests {
    /// What is killed, flooded or fed with garbage while devices enroll, on real processes. Whatever happens, no
    /// certificate that a device holds is missing from the record.
    @Suite(.timeLimit(.minutes(10))) enum Faults {}
}
