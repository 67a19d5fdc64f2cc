import Enrollment
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import OperatorAPI
import PKI

/// Answers the operator API: path and method, then who asks and whether they may, then the operation.
struct OperatorResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let authentication: OperatorAuthentication
    let operations: OperatorOperations
    let idempotency: any IdempotencyRecord
    let authorization: DeviceAuthorization
    let bodyTimeout: Duration
    let now: @Sendable () -> Date
    let logger: Logger
    let onAnswer: @Sendable (String, Int, Double) -> Void

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let began = ContinuousClock.now
        var randomness = SystemRandomNumberGenerator()
        let requestID = UUID.timeOrdered(at: now(), randomness: &randomness).text
        var line = logger
        line[metadataKey: "request"] = "\(requestID)"
        line[metadataKey: "source"] = "\(OperatorConnection.current?.source ?? "unknown")"
        let target = request.head.path ?? ""
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let answer: OperatorAnswer
        if GatewayQuestion.isAsked(at: parts.first ?? "") {
            let answer = await authorize(request, logger: line)
            onAnswer("authorize", answer.status, (ContinuousClock.now - began).inSeconds)
            return answer.response(requestID: requestID)
        }
        var operation: OperatorOperation?
        switch OperatorPath.read(method: request.method.rawValue, path: String(parts.first ?? "")) {
        case .unknown:
            answer = .problem(.notFound("path-unknown", "there is no such path; see \(Self.description)"))
        case .otherMethods(let methods):
            var problem = OperatorAnswer.problem(
                API.Problem(
                    title: "Method not allowed",
                    status: 405,
                    detail: "this path takes \(methods.joined(separator: ", "))",
                    code: "method-not-allowed"
                )
            )
            problem.headers[.allow] = methods.joined(separator: ", ")
            answer = problem
        case .operation(let found, let parameters):
            operation = found
            answer = await self.answer(
                request,
                found,
                parameters: parameters,
                query: parts.count > 1 ? parts[1] : nil,
                logger: line
            )
        }
        let took = ContinuousClock.now - began
        onAnswer(operation?.rawValue ?? "unknown", answer.status, took.inSeconds)
        return answer.response(requestID: requestID)
    }

    private static let description = OperatorOperation.root + OperatorOperation.getOpenAPI.path

    private func answer(
        _ request: Request,
        _ operation: OperatorOperation,
        parameters: [String: String],
        query: Substring?,
        logger: Logger
    ) async -> OperatorAnswer {
        do {
            guard let role = operation.role else {
                _ = try OperatorQuery(query, of: operation)
                return OperatorOperations.openAPI
            }
            let at = now()
            let caller = try await authentication.caller(of: request, at: at)
            guard caller.role >= role.role else {
                logger.info(
                    "operator request refused: role",
                    metadata: ["operator": "\(caller.name)", "operation": "\(operation.rawValue)"]
                )
                throw API.Problem.forbidden(
                    "role-too-low",
                    "\(operation.rawValue) takes the role \(role.rawValue); \(caller.name) is \(caller.role.rawValue)"
                )
            }
            let call = OperatorCall(
                operation: operation,
                parameters: parameters,
                query: try OperatorQuery(query, of: operation),
                caller: caller,
                body: try await OperatorBody.read(request, as: operation.bodyKind, timeout: bodyTimeout),
                request: request,
                at: at
            )
            guard operation.isWrite else { return try await operations.answer(call) }
            let answer = try await IdempotentWrite(record: idempotency, logger: logger).answer(call) {
                await carryOut(call, logger: logger)
            }
            logger.info(
                "operator request",
                metadata: [
                    "operator": "\(caller.name)", "operation": "\(operation.rawValue)", "status": "\(answer.status)",
                ]
            )
            return answer
        } catch {
            return answered(error, logger: logger)
        }
    }

    /// A gateway's question, in whatever method it comes: Envoy asks with the device's own.
    private func authorize(_ request: Request, logger: Logger) async -> OperatorAnswer {
        do {
            let at = now()
            // Any role may: each says less of devices than the others may read.
            _ = try await authentication.gateway(of: request, at: at)
            let question = try await GatewayQuestion.read(request, timeout: bodyTimeout)
            guard let certificate = question.certificate else {
                return try GatewayAnswer(verdict: .unreadable).answer(in: question.form)
            }
            return try GatewayAnswer(verdict: await authorization.verdict(on: certificate, at: at))
                .answer(in: question.form)
        } catch {
            return answered(error, logger: logger)
        }
    }

    /// A write, whose refusals are answers too.
    private func carryOut(_ call: OperatorCall, logger: Logger) async -> OperatorAnswer {
        do { return try await operations.answer(call) } catch { return answered(error, logger: logger) }
    }

    private func answered(_ error: any Error, logger: Logger) -> OperatorAnswer {
        let problem: API.Problem
        if let told = API.Problem.of(error) {
            problem = told
            if let error = error as? RecordError {
                logger.warning("operator request put off", metadata: ["error": "\(error)"])
            }
        } else {
            logger.error("operator request failed", metadata: ["error": "\(error)"])
            problem = .internalFault
        }
        var answer = OperatorAnswer.problem(problem)
        if problem.status == HTTPResponse.Status.unauthorized.code {
            answer.headers[.wwwAuthenticate] = authentication.challenge(problem)
        }
        return answer
    }
}
