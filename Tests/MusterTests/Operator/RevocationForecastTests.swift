import Foundation
import OperatorAPI
import Testing

@testable import muster

/// What `muster revoke --dry-run` tells.
@Suite struct RevocationForecastTests {
    private static let seen = Date(timeIntervalSince1970: 1_768_478_400)

    private static func devices(_ names: [String], ago: TimeInterval = 0) -> [API.RevocationPreview.Device] {
        names.map { name in
            API.RevocationPreview.Device(
                device: name,
                seenAt: seen.addingTimeInterval(-ago),
                isSeenLately: ago < 300
            )
        }
    }

    private static func claim(
        _ octet: String,
        group: (Int64, Int64),
        others: (Int64, Int64) = (0, 0),
        isOpen: Bool = true
    ) -> API.RevocationPreview.Credential {
        API.RevocationPreview.Credential(
            sha256: octet,
            kind: "claim",
            subject: "CN=batch",
            anchor: "claims",
            group: .init(active: group.0, revoked: group.1),
            others: .init(active: others.0, revoked: others.1),
            otherFleets: [],
            isOpen: isOpen,
            refusal: isOpen ? nil : .init(reason: "credential-blocked", detail: "an operator blocked it"),
            command: isOpen ? "muster credential block \(octet) --fleet meters" : nil
        )
    }

    private static func preview(
        devices: Int64,
        lately: [API.RevocationPreview.Device] = [],
        sample: [API.RevocationPreview.Device] = [],
        _ credentials: [API.RevocationPreview.Credential] = [],
        further: Int64 = 0
    ) -> API.RevocationPreview {
        API.RevocationPreview(
            devices: devices,
            already: 1,
            valid: devices,
            seenLately: .init(withinSeconds: 300, devices: Int64(lately.count), latest: lately),
            sample: sample,
            credentials: credentials,
            furtherCredentials: further,
            unknown: 0,
            unknownNames: []
        )
    }

    @Test func `it says in words who was seen, what stays, and how to close what is open`() {
        var claim = Self.claim("ab12", group: (2, 1), others: (3, 0))
        claim.otherFleets = [.init(fleet: "valves", devices: 12)]
        let forecast = RevocationForecast(
            Self.preview(
                devices: 2,
                lately: Self.devices(["meter-1"]),
                sample: Self.devices(["meter-1"]) + Self.devices(["meter-2"], ago: 600),
                [claim]
            )
        )
        #expect(
            forecast.lines(isColoured: false) == [
                "2 devices would be revoked, 2 of them with a valid certificate; 1 are already",
                "1 of them were seen in the last 5 minutes; sessions at a broker are not known here",
                "seen last: meter-1",
                "these are:",
                "  DEVICE   LAST SEEN",
                "  meter-1  2026-01-15 12:00:00Z, in the last 5 minutes",
                "  meter-2  2026-01-15 11:50:00Z",
                "the claim ab12 (CN=batch, anchor claims) let in 3 of these (1 revoked or on hold already), and 3 other devices of the fleet, which would stay",
                "  it let in devices of other fleets too, each of which blocks it for itself: 12 of valves",
                "  it is open for new devices; to close it: muster credential block ab12 --fleet meters",
                "revoking devices closes no credential: one that is open lets in new ones",
                "to do it: the same with --confirm 2 in the place of --dry-run",
            ]
        )
    }

    @Test func `of nobody it tells just how the credential stands`() {
        let forecast = RevocationForecast(
            Self.preview(devices: 0, [Self.claim("ab12", group: (0, 4), others: (0, 2), isOpen: false)], further: 3)
        )
        #expect(
            forecast.lines(isColoured: false) == [
                "0 devices would be revoked, 0 of them with a valid certificate; 1 are already",
                "the claim ab12 (CN=batch, anchor claims) let in 4 of these (4 revoked or on hold already), and no other device of the fleet but 2 revoked or on hold",
                "  it is closed: an operator blocked it",
                "and 3 further credentials, which let in fewer other devices",
            ]
        )
    }

    @Test func `the parts of a long file are added up, and who is in one part is no other device of the next`() {
        var forecast = RevocationForecast(
            Self.preview(
                devices: 10,
                lately: Self.devices(["a-2"], ago: 20),
                sample: Self.devices((0..<9).map { "a-\($0)" }),
                [Self.claim("aa", group: (3, 1), others: (5, 2)), Self.claim("bb", group: (1, 0), others: (1, 0))]
            )
        )
        forecast.add(
            Self.preview(
                devices: 4,
                lately: Self.devices(["b-1"], ago: 10),
                sample: Self.devices(["b-1", "b-2"]),
                [Self.claim("aa", group: (5, 1), others: (3, 2)), Self.claim("cc", group: (1, 0), others: (2, 0))]
            )
        )
        let whole = forecast.preview
        #expect(whole.devices == 14 && whole.already == 2 && whole.valid == 14)
        #expect(whole.seenLately.devices == 2 && whole.seenLately.latest.map(\.device) == ["b-1", "a-2"])
        #expect(whole.sample.count == 10 && whole.sample.last?.device == "b-1")
        #expect(whole.credentials.map(\.sha256) == ["cc", "aa", "bb"])
        #expect(whole.credentials[1].group == .init(active: 8, revoked: 2))
        #expect(whole.credentials[1].others == .init(active: 0, revoked: 1))
        #expect(!forecast.mayCountTwice)
        forecast.add(Self.preview(devices: 1, further: 2))
        #expect(forecast.mayCountTwice && forecast.preview.furtherCredentials == 2)
    }
}
