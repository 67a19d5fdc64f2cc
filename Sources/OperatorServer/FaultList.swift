import Enrollment
import Foundation
import OperatorAPI

/// Collects all that is wrong with a body, so that a person corrects it once.
struct FaultList {
    /// More than this are not told.
    static let countMax = 50

    private(set) var faults: [API.Problem.Fault] = []

    mutating func add(_ path: String, _ reason: String) {
        guard faults.count < Self.countMax else { return }
        faults.append(API.Problem.Fault(at: path, reason: reason))
    }

    /// Throws if there is a fault.
    func check() throws(API.Problem) {
        guard faults.isEmpty else { throw .invalid(faults) }
    }

    mutating func limits(_ limits: API.Limits?, at path: String) -> BootstrapLimits {
        guard let limits else { return BootstrapLimits() }
        let place = path.isEmpty ? "" : "\(path)."
        for (name, count) in [("devices", limits.devices), ("devicesPerHour", limits.devicesPerHour)] {
            if let count, !(0...API.Limits.countMax).contains(count) {
                add("\(place)\(name)", "must be a whole number from 0 to \(API.Limits.countMax)")
            }
        }
        for (name, time) in [("validFrom", limits.validFrom), ("validUntil", limits.validUntil)] {
            _ = self.time(time, at: "\(place)\(name)")
        }
        if let from = limits.validFrom, let until = limits.validUntil, from >= until {
            add("\(place)validUntil", "must be later than validFrom")
        }
        return BootstrapLimits(
            devicesMax: limits.devices,
            devicesPerHour: limits.devicesPerHour,
            validFrom: limits.validFrom,
            validUntil: limits.validUntil
        )
    }

    mutating func registration(key: String?, idevid: String?, at path: String = "") -> Registration {
        Registration(
            publicKeySHA256: sha256(key, at: "\(path)keySHA256"),
            idevidSHA256: sha256(idevid, at: "\(path)idevidSHA256")
        )
    }

    mutating func time(_ time: Date?, at path: String) -> Date? {
        if let time, !ReadableTime.contains(time) { add(path, "must lie between 1970 and 9999") }
        return time
    }

    mutating func sha256(_ text: String?, at path: String) -> [UInt8]? {
        guard let text else { return nil }
        let hash = HexText.sha256(text)
        if hash == nil { add(path, "must be a SHA-256 in 64 lower-case hexadecimal digits") }
        return hash
    }
}

extension API.Limits {
    /// Nil if nothing is limited.
    init?(_ limits: BootstrapLimits) {
        guard !limits.isEmpty else { return nil }
        self.init(
            devices: limits.devicesMax,
            devicesPerHour: limits.devicesPerHour,
            validFrom: limits.validFrom,
            validUntil: limits.validUntil
        )
    }
}
