/// How long no group begins after one has ended, so that the next has more in it: what a group costs this server and the
/// database hardly depends on how many stand in it. Whoever comes after a quiet moment does not wait.
struct GroupRest {
    /// So many times as long as the group took: unless `max` cuts it short, groups take one part in `times` + 1 of the time.
    let times: Int
    /// And no longer than this, so that a slow database makes nobody wait much longer than it does itself.
    let max: Duration

    static let none = GroupRest(times: 0, max: .zero)

    /// The rest after a group that took so long.
    func duration(after took: Duration) -> Duration { min(took * times, max) }
}
