import OperatorAPI

/// Whether an operator may revoke so many devices, and if not, the request that a second operator is to approve.
struct RevocationPermission {
    let fleet: String
    let order: API.RevocationOrder

    /// Returns if these devices may be revoked now. Otherwise asks for approval, unless that was done before.
    /// - Throws: What is waited for.
    func seek(_ devices: [String], _ client: OperatorClient) async throws {
        let caller = try await client.read(API.Caller.self, .getSelf)
        guard let left = caller.revocationsLeft, Int64(devices.count) > left else { return }
        var listing = ListingOptions()
        listing.all = true
        let reason = order.reason ?? API.RevocationOrder.reasons[0]
        let own = try await listing.items(
            API.RevocationRequest.self,
            from: client,
            .listRevocationRequests,
            ["fleet": fleet]
        ).items.filter { $0.requestedBy == "operator \(caller.name)" && $0.reason == reason }
        let approved = own.filter { $0.state == "approved" }.reduce(0) { $0 + $1.left }
        guard Int64(devices.count) > left + approved else { return }
        var waiting = own.filter { $0.state == "pending" }
        if waiting.reduce(0, { $0 + $1.devices }) != Int64(devices.count) {
            waiting = try await ask(for: devices, client)
        }
        let numbers = waiting.map { "\($0.id)" }.joined(separator: ", ")
        throw CommandFailure(
            .refused,
            "one operator may revoke \(left) more devices in this hour, not \(devices.count); nothing was done",
            hint: """
                a second operator approves by `muster revocation approve \(numbers) --fleet \(fleet)`; then the same command \
                revokes them
                """
        )
    }

    private func ask(for devices: [String], _ client: OperatorClient) async throws -> [API.RevocationRequest] {
        var rest = devices[...]
        var requests: [API.RevocationRequest] = []
        while !rest.isEmpty {
            let part = rest.prefix(API.RevocationRequest.devicesMax)
            rest = rest.dropFirst(part.count)
            let body = API.RevocationRequestOrder(devices: Array(part), reason: order.reason, comment: order.comment)
            requests.append(
                try await client.write(API.RevocationRequest.self, .requestRevocations, ["fleet": fleet], body: body)
            )
        }
        return requests
    }
}
