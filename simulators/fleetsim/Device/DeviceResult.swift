/// What a device spends its time on.
enum Stage: String, CaseIterable, Codable, Sendable {
    /// TCP and TLS handshake, of each connection to the EST server.
    case connect = "connect+TLS"
    case cacerts
    case enroll
    /// From the first 202 to the end of asking, of devices that came back.
    case approval
    /// Verification of what came.
    case check
    /// Connect, trust store, acknowledgement.
    case mqtt
    /// From the beginning to the end of a device that enrolled, its faults and waits among it; in scenarios.
    case whole

    /// Its name in scenario files.
    var word: String {
        switch self {
        case .connect: "connect"
        case .cacerts, .enroll, .approval, .check, .mqtt, .whole: rawValue
        }
    }
}

/// What became of one device.
enum Outcome: Hashable, Sendable {
    case enrolled
    /// The server refused; its status, and its reason where it gave one.
    case refused(status: Int, reason: String)
    /// Asked to come back when an operator has approved, and waits no longer.
    case pending
    /// Asked to come back more often than a device does.
    case gaveUp(reason: String)
    /// The server could not be reached or did not answer.
    case failed(stage: Stage, reason: String)
    /// The answer is not what a device may trust.
    case distrusted(stage: Stage, reason: String)
    /// The run was ended first.
    case interrupted

    /// The group it is counted in.
    var name: String {
        switch self {
        case .enrolled: "enrolled"
        case .refused: "refused"
        case .pending: "pending"
        case .gaveUp: "gave up"
        case .failed: "failed"
        case .distrusted: "distrusted"
        case .interrupted: "interrupted"
        }
    }

    /// The line of the report that it is counted under; nil where there is nothing to explain.
    var reason: String? {
        switch self {
        case .enrolled, .pending, .interrupted: nil
        case .refused(let status, let reason): "\(status) \(reason)"
        case .gaveUp(let reason): "gave up: \(reason)"
        case .failed(let stage, let reason), .distrusted(let stage, let reason): "\(stage.rawValue): \(reason)"
        }
    }

    /// The word that `--expect` counts it under: the server's reason code where it gave one.
    var code: String {
        switch self {
        case .enrolled: "issued"
        case .refused(let status, let reason): ServerReason.isCode(reason) ? reason : "http-\(status)"
        case .pending: "pending"
        case .gaveUp: "gave-up"
        case .failed: "failed"
        case .distrusted: "distrusted"
        case .interrupted: "interrupted"
        }
    }
}

/// A device's report.
struct DeviceResult: Sendable {
    let deviceID: String
    var outcome: Outcome
    /// The claim that it has, by its place among the claims of the run; nil with an IDevID.
    var claim: Int?
    /// The operational certificate (DER) that the device holds, whatever came after.
    var certificate: HeldCertificate?
    /// The same with its key, for a device that goes on.
    var identity: OperationalIdentity?
    /// The version of the trust store that it verified and acknowledged.
    var acknowledgedVersion: Int64?
    var times: [(Stage, Duration)] = []
    /// Why it asked again, once for each time.
    var retries: [String] = []
    /// The faults that were played, once for each time.
    var played: [FaultName] = []
    /// True if it waited for a server that was away, with all others.
    var waitedForServer = false
    /// True if it was given two different certificates for one key.
    private(set) var isChanged = false
    /// The certificate that it was given first, whether or not it could keep it.
    private var firstGiven: [UInt8]?
    private var connections: [Stage: Int] = [:]

    init(deviceID: String, outcome: Outcome) {
        self.deviceID = deviceID
        self.outcome = outcome
    }

    /// One more connection for a stage.
    /// - Returns: How many it makes.
    mutating func connect(for stage: Stage) -> Int {
        connections[stage, default: 0] += 1
        return connections[stage, default: 0]
    }

    /// Notes a certificate (DER) that the server gave for the device's key.
    mutating func isGiven(_ certificate: [UInt8]) {
        if let firstGiven, firstGiven != certificate { isChanged = true }
        firstGiven = firstGiven ?? certificate
    }
}

/// A certificate that a device holds.
struct HeldCertificate: Hashable, Sendable {
    let serial: [UInt8]
    let der: [UInt8]
}
