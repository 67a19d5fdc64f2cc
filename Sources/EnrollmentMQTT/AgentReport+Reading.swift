import Enrollment
import Foundation
import PKI

/// What is below `muster/v1/devices/<DeviceID>@<fleet>`, where the broker lets that device alone write.
enum DeviceBranch {
    /// Whose branch the topic is in; nil if it does not end so.
    static func names(_ topic: String, ending: [Substring]) -> DeviceNames? {
        let parts = topic.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 4 + ending.count, parts[..<3] == ["muster", "v1", "devices"], Array(parts[4...]) == ending
        else { return nil }
        let name = parts[3].split(separator: "@", omittingEmptySubsequences: false)
        guard name.count == 2, let device = DeviceID(String(name[0])), let fleet = FleetName(String(name[1])) else {
            return nil
        }
        return DeviceNames(device: device, fleet: fleet)
    }
}

extension AgentReport {
    /// The largest report, in octets.
    static let octetsMax = 64 * 1024

    /// Nil if it is none. Written by `muster agent` (`AgentStatus`), of which the record needs less.
    init?(_ payload: [UInt8]) {
        struct Content: Decodable {
            struct TrustStore: Decodable { let version: Int64 }
            struct List: Decodable {
                let authoritySHA256: String
                let number: Int64
            }
            struct Fault: Decodable {}
            let type: String
            let trustStore: TrustStore?
            let lists: [List]
            let faults: [Fault]
            let sessionsThrough: Int64?
        }
        guard payload.count <= Self.octetsMax,
            let content = try? JSONDecoder().decode(Content.self, from: Data(payload)),
            content.type == "muster.agent.status.v1", content.lists.count <= Self.listsMax,
            (content.trustStore?.version ?? 1) > 0, (content.sessionsThrough ?? 0) >= 0
        else { return nil }
        var lists: [[UInt8]: Int64] = [:]
        for list in content.lists {
            guard let authority = Hex.octets(list.authoritySHA256), authority.count == 32, list.number >= 0 else {
                return nil
            }
            lists[authority] = list.number
        }
        self.init(
            trustStoreVersion: content.trustStore?.version,
            lists: lists,
            sessionsThrough: content.sessionsThrough,
            faults: content.faults.count
        )
    }
}
