import EST
import NIOHTTP1
import NIOSSL

extension Device {
    /// Asks until there is an answer, within the bounds of patience.
    func ask(
        _ operation: ESTOperation,
        stage: Stage,
        body: [UInt8] = [],
        tls: NIOSSLContext,
        _ clock: DeviceClock?,
        _ result: inout DeviceResult
    ) async throws -> Answer {
        while true {
            try Task.checkCancellation()
            let cut = plan?.cut(stage, connection: result.connect(for: stage))
            let reason: String
            var asked: Duration?
            var isAway = false
            do {
                let (reply, answer) = try await fleet.client.perform(
                    operation,
                    body: body,
                    tls: tls,
                    conditions: conditions(cut, clock)
                )
                result.times.append((.connect, answer.connecting))
                result.times.append((stage, answer.answering))
                clock?.hears(date: answer.fields.first(name: "Date"))
                switch reply {
                case .ok(let body):
                    if let cut, cut.moment == .answerHeard { try lose(body, cut, &result) }
                    return .body(body)
                case .pending(let wait): return .pending(wait: wait)
                case .refused(let status, let reason): throw Ended(outcome: .refused(status: status, reason: reason))
                case .later(let status, let why, let wait):
                    reason = "\(status) \(why)"
                    asked = wait
                }
            } catch let ended as Ended {
                throw ended
            } catch let cut as PowerCut {
                throw cut
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                if case HTTPFailure.cut = error, let cut {
                    result.played.append(cut.fault)
                    if let off = cut.offMilliseconds { throw PowerCut(off: .milliseconds(off)) }
                }
                reason = FailureReason.text(error)
                isAway = FailureReason.isRefusedConnection(error)
            }
            guard result.retries.count < fleet.retry.retriesMax else { throw Ended(outcome: .gaveUp(reason: reason)) }
            result.retries.append(reason)
            if isAway, let storm {
                result.waitedForServer = true
                guard await fleet.serverReturn.isBack(within: storm) else { try Task.checkCancellation(); continue }
            } else {
                try await Task.sleep(for: fleet.retry.wait(asked: asked, draw: jitter(result.retries.count)))
            }
        }
    }

    private func conditions(_ cut: PlannedCut?, _ clock: DeviceClock?) -> ConnectionConditions {
        ConnectionConditions(
            cut: cut?.moment == .answerHeard ? nil : cut?.moment,
            link: plan?.link,
            clock: clock
        )
    }

    /// Power fails when the answer is there and not kept. What it held is noted all the same: the device must be given
    /// the same when it comes back.
    private func lose(_ answer: [UInt8], _ cut: PlannedCut, _ result: inout DeviceResult) throws {
        result.played.append(cut.fault)
        if let certificate = try? CertsOnly.decode(Base64Body.decode(answer).der).first { result.isGiven(certificate) }
        throw PowerCut(off: .milliseconds(cut.offMilliseconds ?? 0))
    }

    /// 0 to 1, drawn for the try, so that a run can be repeated.
    private func jitter(_ retry: Int) -> Double {
        var draws = SeededDraws(seed: fleet.names.value, purpose: "retry/\(plan?.number ?? number)/\(retry)")
        return draws.fraction()
    }
}
