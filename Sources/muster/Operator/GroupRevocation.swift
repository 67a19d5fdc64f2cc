import Foundation
import OperatorAPI

/// Revokes many devices, one by one and each once: a run that was broken off goes on where it was when it is started
/// again, since who is revoked already is passed over.
struct GroupRevocation {
    /// Requests under way at once; the record takes them one after the other.
    private static let parallel = 4

    let group: DeviceGroup
    let fleet: String
    let order: API.RevocationOrder

    /// What was done.
    struct Outcome: Codable, Sendable {
        var revoked: Int
        var already: Int
        /// Of those that are revoked now, how many nothing lacks; missing without --wait.
        var complete: Int?
    }

    /// What it would come to; nothing is done.
    func forecast(_ client: OperatorClient) async throws -> RevocationForecast {
        try await group.preview(of: fleet, for: order.reason, client)
    }

    /// The devices that the order changes, and how many of the group are so already.
    func pending(_ client: OperatorClient) async throws -> (devices: [String], already: Int) {
        let found = try await group.devices(of: fleet, client)
        let pending = found.filter { Self.isChanged($0, by: order) }
        return (pending.map(\.device), found.count - pending.count)
    }

    /// A hold may become anything, anything keyCompromise, and nothing else changes.
    static func isChanged(_ device: API.Device, by order: API.RevocationOrder) -> Bool {
        guard let present = device.revocation?.reason else { return true }
        let wanted = order.reason ?? API.RevocationOrder.reasons[0]
        return wanted != present && (present == API.RevocationOrder.hold || wanted == "keyCompromise")
    }

    /// Revokes them.
    /// - Throws: What the first device that failed failed for, with how many were revoked before.
    func carryOut(_ devices: [String], _ client: OperatorClient) async throws {
        let progress = ProgressLine("revoking", octets: devices.count)
        var done = 0
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                var waiting = devices[...]
                for _ in 0..<Self.parallel {
                    guard let device = waiting.popFirst() else { break }
                    tasks.addTask { try await revoke(device, client) }
                }
                while try await tasks.next() != nil {
                    done += 1
                    progress.update(done)
                    guard let device = waiting.popFirst() else { continue }
                    tasks.addTask { try await revoke(device, client) }
                }
            }
            progress.end()
        } catch {
            progress.end()
            let failure = error as? CommandFailure ?? (error as? API.Problem).map { CommandFailure($0) }
            throw CommandFailure(
                failure?.status ?? .unavailable,
                "\(done) of \(devices.count) devices were revoked, and then: \(failure?.text ?? "\(error)")",
                faults: failure?.faults ?? [],
                hint:
                    "the same command with --dry-run tells how many are left; with their number after --confirm it goes on"
            )
        }
    }

    private func revoke(_ device: String, _ client: OperatorClient) async throws {
        _ = try await client.write(
            API.Device.self,
            .revokeDevice,
            ["fleet": fleet, "device": device],
            body: order
        )
    }
}
