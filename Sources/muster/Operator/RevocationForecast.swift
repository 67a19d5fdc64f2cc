import OperatorAPI

/// What revoking a group would come to, put together from the previews of its parts where it names more devices than one
/// preview takes.
struct RevocationForecast: Sendable {
    private(set) var preview: API.RevocationPreview
    /// True if some of the devices that are told as others may be in the group too: a part told of fewer credentials than it
    /// has.
    private(set) var mayCountTwice = false

    init(_ preview: API.RevocationPreview) { self.preview = preview }

    /// Adds the preview of further devices of the same fleet, whose names come after those before.
    mutating func add(_ part: API.RevocationPreview) {
        mayCountTwice = mayCountTwice || preview.furtherCredentials > 0 || part.furtherCredentials > 0
        preview.devices += part.devices
        preview.already += part.already
        preview.valid += part.valid
        preview.sample = Array((preview.sample + part.sample).prefix(API.RevocationPreview.sampleMax))
        preview.seenLately.devices += part.seenLately.devices
        preview.seenLately.latest = Array(
            (preview.seenLately.latest + part.seenLately.latest)
                .sorted { ($1.seenAt, $0.device) < ($0.seenAt, $1.device) }
                .prefix(API.RevocationPreview.sampleMax)
        )
        preview.unknown += part.unknown
        preview.unknownNames += part.unknownNames.prefix(
            max(0, API.RevocationPreview.unknownMax - preview.unknownNames.count)
        )
        addCredentials(part)
    }

    /// What is of the group in one part is among the others in every other part.
    private mutating func addCredentials(_ part: API.RevocationPreview) {
        var credentials = preview.credentials
        for further in part.credentials {
            guard let index = credentials.firstIndex(where: { $0.sha256 == further.sha256 }) else {
                credentials.append(further)
                continue
            }
            credentials[index].others.active -= further.group.active
            credentials[index].others.revoked -= further.group.revoked
            credentials[index].group.active += further.group.active
            credentials[index].group.revoked += further.group.revoked
        }
        credentials.sort { one, other in
            (other.others.active + other.others.revoked, one.sha256)
                < (one.others.active + one.others.revoked, other.sha256)
        }
        let dropped = max(0, credentials.count - API.RevocationPreview.credentialsMax)
        preview.furtherCredentials = max(preview.furtherCredentials, part.furtherCredentials) + Int64(dropped)
        preview.credentials = Array(credentials.dropLast(dropped))
    }
}
