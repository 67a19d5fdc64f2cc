import EST
import MQTT
import NIOSSL

/// One device of a storm, from its first boot to the calm after it.
struct StormDevice: Sendable {
    let device: Device
    let scene: StormScene
    /// When the operator's request was on its way, once it is answered; nil in it if that failed. Nil for a device that
    /// is not to be revoked.
    let revoked: Milestone<ContinuousClock.Instant?>?
    let firstLook: Duration

    func live() async -> StormResult {
        var result = StormResult(deviceID: device.deviceID, isLeaked: revoked != nil)
        // However it ends: nobody is to wait for it.
        defer { scene.roll.answer(device.number) }
        do {
            let place = await scene.places.enter()
            try Task.checkCancellation()
            let identity = try await enroll()
            let person = StormPerson(identity: identity, tls: try device.fleet.tlsContext(identity))
            result = try await scene.broker.withSession(device.deviceID, identity: identity, thread: scene.thread) {
                [result] client, topic in
                var result = result
                try await client.subscribe([topic])
                place.leave()
                result.isReady = true
                scene.roll.answer(device.number)
                do {
                    if let revoked {
                        try await suffer(revoked, person, client, &result)
                    } else {
                        try await look(person, client, topic, &result)
                    }
                } catch {
                    result.problem = FailureReason.text(error)
                }
                return result
            }
        } catch {
            result.problem = FailureReason.text(error)
        }
        if Task.isCancelled, result.problem != nil { result.problem = FailureReason.interrupted }
        return result
    }

    private func enroll() async throws -> OperationalIdentity {
        guard case .ended(let result) = await device.run() else { throw DeviceFailure("it is to wait for approval") }
        guard let identity = result.identity, result.outcome == .enrolled else {
            throw DeviceFailure("not enrolled: \(result.outcome.reason ?? result.outcome.name)")
        }
        return identity
    }

    // MARK: Revoked

    /// Waits to be revoked, and tries all doors until each is closed.
    private func suffer(
        _ revoked: Milestone<ContinuousClock.Instant?>,
        _ person: StormPerson,
        _ client: MQTTClient,
        _ result: inout StormResult
    ) async throws {
        let ended = Milestone<ContinuousClock.Instant>()
        try await withThrowingTaskGroup(of: [StormFinding].self) { group in
            group.addTask {
                _ = await client.ended()
                ended.reach(.now)
                return []
            }
            defer { group.cancelAll() }
            guard let since = try await revoked.value() else { throw DeviceFailure("the operator could not revoke it") }
            result.revokedAt = since
            group.addTask { try await atTheBroker(person, ended, since) }
            group.addTask { [await untilRefused(.renewal, since) { try await renew(person) }] }
            if let gateway = scene.gateway {
                group.addTask { [await untilRefused(.gateway, since) { try await gateway.ask(tls: person.tls) }] }
            }
            var found = 0
            // Each is taken as it comes, since a run may be interrupted before the last.
            while found < scene.refusals.count, let part = try await group.next() {
                for finding in part { result.take(finding) }
                found += part.count
            }
        }
    }

    /// The session's end, and from then on the refusal of another.
    private func atTheBroker(
        _ person: StormPerson,
        _ ended: Milestone<ContinuousClock.Instant>,
        _ since: ContinuousClock.Instant
    ) async throws -> [StormFinding] {
        let end = try await ended.value(within: scene.storm.patience)
        let isEarly = end.map { $0 < since } ?? false
        let session = StormFinding(
            stage: .session,
            at: isEarly ? nil : end,
            problem: isEarly ? "it ended before the revocation" : "it went on"
        )
        guard end != nil else { return [session, StormFinding(stage: .reconnect, at: nil, problem: "it went on")] }
        // Without a place: what is timed is the broker's answer, and not the others' renewals.
        let reconnect = await untilRefused(.reconnect, since) {
            do {
                try await scene.broker.withSession(
                    device.deviceID,
                    identity: person.identity,
                    thread: scene.thread
                ) { _, _ in }
                return .served
            } catch let error as MQTTError {
                switch error {
                case .tls, .refused: return .refused
                default: return .unclear(error.description)
                }
            }
        }
        return [session, reconnect]
    }

    /// Asks again and again until it is refused, or patience ends.
    private func untilRefused(
        _ stage: StormStage,
        _ since: ContinuousClock.Instant,
        _ ask: () async throws -> ServiceAnswer
    ) async -> StormFinding {
        var finding = StormFinding(stage: stage, at: nil, problem: nil)
        let deadline = since + scene.storm.patience
        repeat {
            do {
                switch try await ask() {
                case .refused:
                    finding.at = .now
                    finding.problem = nil
                    return finding
                case .served:
                    finding.served += 1
                    finding.problem = "it was served"
                case .unclear(let why): finding.problem = why
                }
                try await Task.sleep(for: scene.storm.probe)
            } catch {
                finding.problem = FailureReason.text(error)
                // A cancelled task is not to try again at once, and for ever.
                if Task.isCancelled { return finding }
            }
        } while ContinuousClock.now < deadline
        return finding
    }

    // MARK: Not revoked

    /// Looks whether it is served, from the storm's beginning to the calm and once after it.
    private func look(
        _ person: StormPerson,
        _ client: MQTTClient,
        _ topic: String,
        _ result: inout StormResult
    ) async throws {
        _ = try await scene.began.value()
        var isCalm = try await scene.calm.value(within: firstLook) != nil
        try await asks(person, &result)
        // Bounded by the calm, which comes when the patience of the revoked has ended.
        while !isCalm {
            try await hear(client, topic, &result)
            isCalm = try await scene.calm.value(within: scene.storm.watch) != nil
        }
        try await hear(client, topic, &result)
        guard client.isConnected else { throw DeviceFailure("its session ended") }
        result.isServed = true
    }

    /// A message to itself.
    private func hear(_ client: MQTTClient, _ topic: String, _ result: inout StormResult) async throws {
        let began = ContinuousClock.now
        let number = result.moments.count
        let payload = Array("\(number)".utf8)
        do {
            try await client.publish(topic: topic, payload: payload)
            let heard = try await bounded(by: StormScene.echoPatience) {
                for await message in client.messages where message.payload == payload { return true }
                return false
            }
            guard heard == true else { throw DeviceFailure("its message did not come back") }
        } catch let error as MQTTError {
            throw DeviceFailure("its session ended: \(error)")
        }
        result.moments.append(StormMoment(stage: .message, at: .now, took: .now - began))
    }

    /// Renewal and gateway, once.
    private func asks(_ person: StormPerson, _ result: inout StormResult) async throws {
        let place = await scene.places.enter()
        defer { place.leave() }
        try await timed(.renewed, &result) { try await renew(person) }
        if let gateway = scene.gateway {
            try await timed(.admitted, &result) { try await gateway.ask(tls: person.tls) }
        }
    }

    private func timed(
        _ stage: StormStage,
        _ result: inout StormResult,
        _ ask: () async throws -> ServiceAnswer
    ) async throws {
        let began = ContinuousClock.now
        // A server that is busy says when to come again; so often is enough for a device that is served.
        for _ in 0...scene.storm.retry.retriesMax {
            switch try await ask() {
            case .served:
                result.moments.append(StormMoment(stage: stage, at: .now, took: .now - began))
                return
            case .refused: throw DeviceFailure("not \(stage.title): refused")
            case .unclear(let why): result.problem = "not \(stage.title): \(why)"
            }
            try await Task.sleep(for: scene.storm.retry.reconnectWait)
        }
        throw DeviceFailure(result.problem ?? "not \(stage.title)")
    }

    private func renew(_ person: StormPerson) async throws -> ServiceAnswer {
        let body = Base64Body.encode(try person.identity.renewalRequest())
        do {
            let reply = try await device.fleet.client.perform(.simplereenroll, body: body, tls: person.tls).reply
            switch reply {
            case .ok: return .served
            case .refused(403, _): return .refused
            case .refused(let status, let reason): return .unclear("\(status) \(reason)")
            case .later(let status, let reason, _): return .unclear("\(status) \(reason)")
            case .pending: return .unclear("202")
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            return .unclear(FailureReason.text(error))
        }
    }
}

/// What a device shows at every door.
struct StormPerson: Sendable {
    let identity: OperationalIdentity
    let tls: NIOSSLContext
}
