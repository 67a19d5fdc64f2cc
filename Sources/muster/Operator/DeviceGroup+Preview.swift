import Foundation
import OperatorAPI
import PKI

extension DeviceGroup {
    /// What revoking them would come to, as the server sees it.
    func preview(of fleet: String, for reason: String?, _ client: OperatorClient) async throws -> RevocationForecast {
        var order = API.RevocationPreviewOrder()
        order.reason = reason
        func ask(_ order: API.RevocationPreviewOrder) async throws -> API.RevocationPreview {
            try await client.write(API.RevocationPreview.self, .previewRevocations, ["fleet": fleet], body: order)
        }
        guard let file else {
            order.credential = credential?.lowercased()
            (order.prefix, order.anchor, order.issuer, order.state) = (prefix, anchor, issuer, state)
            order.enrolledFrom = try Self.time(enrolledFrom, "--enrolled-from")
            order.enrolledUntil = try Self.time(enrolledUntil, "--enrolled-until")
            (order.usedFrom, order.usedUntil) = (usedFrom.flatMap(Self.time), usedUntil.flatMap(Self.time))
            (order.seenFrom, order.seenUntil) = (seenFrom.flatMap(Self.time), seenUntil.flatMap(Self.time))
            return RevocationForecast(try await ask(order))
        }
        let names = try Self.names(in: file)
        let devices = names.filter { DeviceID($0) != nil }
        let unreadable = names.filter { DeviceID($0) == nil }
        // As many questions as the names take, and one if there are none.
        order.devices = Array(devices.prefix(API.RevocationPreviewOrder.devicesMax))
        var forecast = RevocationForecast(try await ask(order))
        var rest = devices.dropFirst(API.RevocationPreviewOrder.devicesMax)
        while !rest.isEmpty {
            order.devices = Array(rest.prefix(API.RevocationPreviewOrder.devicesMax))
            rest = rest.dropFirst(API.RevocationPreviewOrder.devicesMax)
            forecast.add(try await ask(order))
        }
        let unknown = Int(forecast.preview.unknown) + unreadable.count
        guard unknown == 0 else {
            let faults =
                unreadable.map { "\($0): must be 1 to 40 of A-Z a-z 0-9 . _ -" }
                + forecast.preview.unknownNames.map { "\($0): no such device has enrolled" }
            throw Self.unknown(
                unknown,
                of: names,
                fleet: fleet,
                Array(faults.prefix(API.RevocationPreview.unknownMax))
            )
        }
        return forecast
    }

    private static func time(_ text: String?, _ option: String) throws -> Date? {
        guard let text else { return nil }
        guard let time = TimeText.parse(text) else {
            throw CommandFailure(.usage, "\(option) takes a time such as 2027-01-31T12:00:00Z")
        }
        return time
    }
}
