import Foundation
import OperatorAPI

extension RevocationForecast {
    /// What --dry-run tells people.
    func lines(isColoured: Bool) -> [String] {
        var lines = [
            "\(preview.devices) devices would be revoked, \(preview.valid) of them with a valid certificate; \(preview.already) are already"
        ]
        if preview.devices > 0 { lines += seen + sample(isColoured: isColoured) }
        lines += preview.credentials.flatMap(Self.lines(of:))
        if preview.furtherCredentials > 0 {
            lines.append("and \(preview.furtherCredentials) further credentials, which let in fewer other devices")
        }
        if mayCountTwice {
            lines.append("some of the other devices may be named in the file too, which was looked at in parts")
        }
        if preview.credentials.contains(where: \.isOpen) {
            lines.append("revoking devices closes no credential: one that is open lets in new ones")
        }
        if preview.devices > 0 {
            lines.append("to do it: the same with --confirm \(preview.devices) in the place of --dry-run")
        }
        return lines
    }

    /// `the last 5 minutes`.
    private var window: String {
        let seconds = preview.seenLately.withinSeconds
        return seconds % 60 == 0 ? "the last \(seconds / 60) minutes" : "the last \(seconds) seconds"
    }

    /// Honest words: Muster knows who spoke to it, and not who is connected elsewhere.
    private var seen: [String] {
        let lately = preview.seenLately
        guard lately.devices > 0 else {
            return ["none of them was seen in \(window); sessions at a broker are not known here"]
        }
        let more = lately.devices > lately.latest.count ? ", …" : ""
        return [
            "\(lately.devices) of them were seen in \(window); sessions at a broker are not known here",
            "seen last: \(lately.latest.map(\.device).joined(separator: ", "))\(more)",
        ]
    }

    private func sample(isColoured: Bool) -> [String] {
        var table = TextTable(headers: ["DEVICE", "LAST SEEN"])
        table.rows = preview.sample.map { device in
            [device.device, CommandOutput.time(device.seenAt) + (device.isSeenLately ? ", in \(window)" : "")]
        }
        let head = preview.devices > preview.sample.count ? "the first of them by name:" : "these are:"
        return [head] + table.lines(isColoured: isColoured).map { "  \($0)" }
    }

    private static func lines(of credential: API.RevocationPreview.Credential) -> [String] {
        let about = [credential.subject, credential.anchor.map { "anchor \($0)" }].compactMap(\.self)
        let name = "\(kind(credential)) \(credential.sha256)"
        var lines = [
            (about.isEmpty ? name : "\(name) (\(about.joined(separator: ", ")))")
                + " let in \(words(credential.group)), and \(others(credential.others))"
        ]
        if !credential.otherFleets.isEmpty {
            let fleets = credential.otherFleets.map { "\($0.devices) of \($0.fleet)" }.joined(separator: ", ")
            lines.append("  it let in devices of other fleets too, each of which blocks it for itself: \(fleets)")
        }
        if let command = credential.command {
            lines.append("  it is open for new devices; to close it: \(command)")
        } else if let refusal = credential.refusal {
            lines.append("  it is closed: \(refusal.detail)")
        }
        return lines
    }

    private static func kind(_ credential: API.RevocationPreview.Credential) -> String {
        switch credential.kind {
        case "claim": "the claim"
        case "idevid": "the IDevID"
        default: "the credential"
        }
    }

    private static func words(_ standing: API.RevocationPreview.Standing) -> String {
        let all = "\(standing.active + standing.revoked) of these"
        return standing.revoked == 0 ? all : "\(all) (\(standing.revoked) revoked or on hold already)"
    }

    private static func others(_ standing: API.RevocationPreview.Standing) -> String {
        if standing.active == 0 {
            let revoked = standing.revoked > 0 ? " but \(standing.revoked) revoked or on hold" : ""
            return "no other device of the fleet\(revoked)"
        }
        let active = "\(standing.active) other devices of the fleet, which would stay"
        return standing.revoked == 0 ? active : "\(active) (beside \(standing.revoked) revoked or on hold)"
    }
}
