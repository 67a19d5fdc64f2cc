import Foundation
import PKI

/// Live sessions of revoked devices, which are to end as soon as the list that refuses them is in force: who ends
/// earlier is back at once.
struct RevokedSessions: Codable, Hashable, Sendable {
    /// The most devices that wait; further ones keep their sessions, and are counted.
    static let countMax = 1 << 16
    /// How long after the first time a device's session is ended again whenever a list comes into force. Within one
    /// second a list may come that has another device but not this one.
    static let attention: TimeInterval = 10
    /// After so long without a list that has its certificate, which may have ended by then, any list will do.
    private static let patience: TimeInterval = 10
    /// After so long nothing is awaited any more.
    private static let timeMax: TimeInterval = 3600
    /// How long after its end a session is likely to need it once more.
    private static let unrest: TimeInterval = 1

    private struct Waiting: Codable, Hashable, Sendable {
        let news: RevocationNews
        let heard: Date
        var ended: Date?
    }

    /// A device was released then; until another list is in force it is refused.
    private var released: Date?

    private var waiting: [String: Waiting] = [:]
    private(set) var passedOver = 0
    /// The last message that was heard.
    private var heardThrough: Int64?

    /// The last message up to which, with all before it, no session waits for its end any more; nil before the first one.
    /// The broker tells them in their order.
    var endedThrough: Int64? {
        guard let heardThrough else { return nil }
        let first = waiting.values.filter { $0.ended == nil }.compactMap(\.news.sequence).min()
        return first.map { min($0 - 1, heardThrough) } ?? heardThrough
    }

    /// How many wait for their list.
    var unsettled: Int { waiting.values.count { $0.ended == nil } }

    /// True if a list is awaited that one of them needs, or may need.
    func awaitsList(now: Date) -> Bool {
        if let released, now.timeIntervalSince(released) < Self.attention { return true }
        return waiting.values.contains { device in device.ended.map { now.timeIntervalSince($0) < Self.unrest } ?? true
        }
    }

    /// Notes what a message said.
    mutating func hear(_ news: RevocationNews, now: Date) {
        if let sequence = news.sequence { heardThrough = max(heardThrough ?? 0, sequence) }
        guard news.isRevoked else {
            waiting[news.client] = nil
            released = now
            return
        }
        guard waiting.count < Self.countMax || waiting[news.client] != nil else {
            passedOver += 1
            return
        }
        waiting[news.client] = Waiting(news: news, heard: now)
    }

    /// Those to end now.
    /// - Parameters:
    ///   - lists: What is in force.
    ///   - listsChanged: True if a list came into force since the last call.
    mutating func take(lists: [VerifiedList], listsChanged: Bool, now: Date) -> [String] {
        if listsChanged { released = nil }
        var clients: [String] = []
        for (client, device) in waiting {
            if let ended = device.ended, now.timeIntervalSince(ended) > Self.attention {
                waiting[client] = nil
            } else if device.ended == nil, now.timeIntervalSince(device.heard) > Self.timeMax {
                waiting[client] = nil
            } else if Self.isDue(device, lists: lists, listsChanged: listsChanged, now: now) {
                waiting[client]?.ended = device.ended ?? now
                clients.append(client)
            }
        }
        return clients.sorted()
    }

    /// A message that names a certificate says exactly which list will do. Otherwise any that came since, or that has
    /// something of that second.
    private static func isDue(_ device: Waiting, lists: [VerifiedList], listsChanged: Bool, now: Date) -> Bool {
        guard let serial = device.news.serial else {
            return listsChanged
                || device.ended == nil && lists.contains { $0.revocationTimes.contains(device.news.at) }
        }
        guard device.ended == nil else { return false }
        let isLate = now.timeIntervalSince(device.heard) > Self.patience
        return listsChanged && isLate || lists.contains { $0.lists(serial: serial) }
    }

    /// Takes back what `take` gave: their sessions could not be ended.
    mutating func putBack(_ clients: [String]) {
        for client in clients { waiting[client]?.ended = nil }
    }
}

/// What a message on a fleet's `revocations` topic says. It proves nothing, and nothing but a session's end rests on it.
struct RevocationNews: Codable, Hashable, Sendable {
    /// The largest message, in octets.
    static let octetsMax = 4 * 1024

    /// `<DeviceID>@<fleet>`.
    let client: String
    let isRevoked: Bool
    /// Of the device's certificate, big-endian; nil if the message does not say.
    let serial: [UInt8]?
    /// Rises with each message of the fleet; nil from a server that counts none.
    let sequence: Int64?
    /// To the second.
    let at: Date

    /// Nil if it is no such message, or for another fleet.
    init?(_ payload: [UInt8], fleet: FleetName) {
        struct Content: Decodable {
            let type: String
            let fleet: String
            let device: String
            let state: String
            let serial: String?
            let sequence: Int64?
            let at: String
        }
        guard payload.count <= Self.octetsMax,
            let content = try? JSONDecoder().decode(Content.self, from: Data(payload)),
            content.type == "muster.revocation.v1", content.fleet == fleet.text,
            let device = DeviceID(content.device), ["revoked", "released"].contains(content.state),
            let at = try? Date(content.at, strategy: .iso8601)
        else { return nil }
        client = "\(device)@\(fleet)"
        serial = content.serial.flatMap { Hex.octets($0) }
        sequence = content.sequence
        isRevoked = content.state == "revoked"
        self.at = at
    }
}
