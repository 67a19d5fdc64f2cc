/// What a scenario file can describe.
enum ScenarioDocument: Hashable, Sendable {
    case phases(Scenario)
    case revocation(RevocationStorm)
    case renewal(Renewal)
}
