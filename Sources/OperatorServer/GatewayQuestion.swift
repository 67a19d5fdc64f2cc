import Enrollment
import Foundation
import HTTPTypes
import Hummingbird
import OperatorAPI
import PKI

/// What a gateway asks: whether the device that showed this certificate to it is to be let in. Each kind of gateway has a
/// way of its own to say it, and to be answered.
struct GatewayQuestion: Sendable {
    /// Where it is asked: the path itself, or anything below it, since Envoy appends the path that the device asked for.
    static let path = "/authorize"
    /// The most octets of a body: an event of API Gateway may carry the device's headers.
    private static let bodyOctetsMax = 256 * 1024

    /// How the answer is written.
    enum Form: Hashable, Sendable {
        /// Status 200 or 403, and JSON that says why: for `auth_request` of nginx, `ext_authz` of Envoy, and programs.
        case plain
        /// A policy for the method that was asked for: a Lambda authorizer of a REST API, by its `methodArn`.
        case policy(methodARN: String)
        /// `isAuthorized`: a Lambda authorizer of an HTTP API, payload version 2.0.
        case simple
    }

    let form: Form
    /// DER; nil if the device showed none, or what it showed cannot be read.
    let certificate: [UInt8]?

    static func isAsked(at path: Substring) -> Bool { path == Self.path || path.hasPrefix(Self.path + "/") }

    /// Reads a request from its head and body. A certificate that is said in two ways is refused: one of them may be the
    /// device's own words, which the gateway let through.
    static func read(_ request: Request, timeout: Duration) async throws -> GatewayQuestion {
        let fields =
            request.headers[values: .forwardedClientCertificate].map { (isEnvoys: true, text: $0) }
            + request.headers[values: .clientCertificate].map { (isEnvoys: false, text: $0) }
        let isJSON = OperatorBody.mediaType(request) == OperatorAnswer.json
        guard fields.count + (isJSON ? 1 : 0) <= 1 else {
            throw API.Problem.unreadable(
                "the certificate is said in more than one way; have the gateway remove what comes from devices"
            )
        }
        if isJSON { return try await event(request, timeout: timeout) }
        guard let field = fields.first else {
            throw API.Problem.unreadable(
                "say the device's certificate: JSON with certificate, an event of API Gateway, or a header "
                    + "X-SSL-Client-Cert (URL-encoded PEM) or X-Forwarded-Client-Cert"
            )
        }
        let text = field.isEnvoys ? forwarded(field.text) : field.text
        return GatewayQuestion(form: .plain, certificate: text.flatMap(der))
    }

    /// What is read of a body; all else in it is the gateway's.
    private struct Body: Decodable {
        struct Context: Decodable {
            struct Holder: Decodable {
                struct ClientCertificate: Decodable { var clientCertPem: String? }
                var clientCert: ClientCertificate?
            }
            /// REST APIs.
            var identity: Holder?
            /// HTTP APIs.
            var authentication: Holder?
        }

        var certificate: String?
        var version: String?
        var methodArn: String?
        var requestContext: Context?
    }

    private static func event(_ request: Request, timeout: Duration) async throws -> GatewayQuestion {
        let octets = try await OperatorBody.read(request, as: .json, timeout: timeout)
        guard octets.count <= bodyOctetsMax, let body = try? JSONDecoder().decode(Body.self, from: Data(octets)) else {
            throw API.Problem.unreadable("the body must be a JSON object of at most \(bodyOctetsMax) octets")
        }
        guard let context = body.requestContext else {
            guard let text = body.certificate else {
                throw API.Problem.unreadable("the body must have certificate, or be an event of API Gateway")
            }
            return GatewayQuestion(form: .plain, certificate: der(text))
        }
        let shown = (context.identity ?? context.authentication)?.clientCert?.clientCertPem.flatMap(der)
        if let methodARN = body.methodArn {
            return GatewayQuestion(form: .policy(methodARN: methodARN), certificate: shown)
        }
        guard body.version == "2.0" else {
            throw API.Problem.unreadable("the event has neither methodArn nor version 2.0")
        }
        return GatewayQuestion(form: .simple, certificate: shown)
    }

    /// The certificate in Envoy's header: `Cert="…"` of its last element, which is the nearest proxy's. Nil if that says
    /// none, or more than one: what stands elsewhere may be the device's own words.
    private static func forwarded(_ text: String) -> String? {
        var pairs: [String] = [""]
        var (isQuoted, isEscaped) = (false, false)
        for character in text.unicodeScalars {
            switch character {
            case _ where isEscaped: isEscaped = false
            case "\\" where isQuoted:
                // Before a quote that is part of a value, such as a subject's.
                isEscaped = true
                continue
            case "\"":
                isQuoted.toggle()
                continue
            case ";" where !isQuoted:
                pairs.append("")
                continue
            case "," where !isQuoted:
                pairs = [""]
                continue
            default: break
            }
            pairs[pairs.count - 1].unicodeScalars.append(character)
        }
        let certificates = pairs.filter { $0.trimmingCharacters(in: .whitespaces).lowercased().hasPrefix("cert=") }
        guard !isQuoted, certificates.count == 1 else { return nil }
        return String(certificates[0].trimmingCharacters(in: .whitespaces).dropFirst(5))
    }

    private static let pemBegin = Data("-----BEGIN CERTIFICATE-----".utf8)
    private static let pemEnd = Data("-----END CERTIFICATE-----".utf8)

    /// One certificate: PEM, PEM in URL encoding, PEM whose lines stand in one, or base64 alone. Octet by octet: as
    /// characters this took half the time of an answer.
    private static func der(_ text: String) -> [UInt8]? {
        guard let octets = percentDecoded(text.utf8), octets.count <= 2 * DeviceAuthorization.octetsMax
        else { return nil }
        var base64 = octets[...]
        let data = Data(octets)
        if let start = data.range(of: pemBegin) {
            guard let stop = data.range(of: pemEnd, in: start.upperBound..<data.endIndex),
                // The device's own certificate is the first; one alone is expected.
                data.range(of: pemBegin, in: stop.upperBound..<data.endIndex) == nil
            else { return nil }
            base64 = octets[start.upperBound..<stop.lowerBound]
        }
        // Space, and TAB to CR.
        let digits = base64.filter { $0 != 0x20 && !(0x09...0x0D).contains($0) }
        return Data(base64Encoded: Data(digits)).map { [UInt8]($0) }
    }

    /// With each `%` and its two hexadecimal digits as the octet that they stand for (RFC 3986 section 2.1); nil if others
    /// follow one.
    private static func percentDecoded(_ text: String.UTF8View) -> [UInt8]? {
        var octets: [UInt8] = []
        octets.reserveCapacity(text.count)
        var rest = text[...]
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "%") else {
                octets.append(octet)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
                return nil
            }
            octets.append(high << 4 | low)
        }
        return octets
    }

    private static func hexDigit(_ octet: UInt8) -> UInt8? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): octet - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): octet - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

/// What a gateway is answered.
struct GatewayAnswer: Sendable {
    /// The answer in plain form.
    private struct Plain: Encodable {
        let allow: Bool
        let device: String?
        let fleet: String?
        let notAfter: Date?
        let reason: String?
        let detail: String?
    }

    /// What a Lambda authorizer hands to its API's back end: text alone.
    private struct Context: Encodable {
        let device: String?
        let fleet: String?
        let reason: String?
    }

    private struct Simple: Encodable {
        let isAuthorized: Bool
        let context: Context
    }

    private struct Policy: Encodable {
        struct Document: Encodable {
            struct Statement: Encodable {
                let Action = "execute-api:Invoke"
                let Effect: String
                let Resource: String
            }
            let Version = "2012-10-17"
            let Statement: [Statement]
        }
        let principalId: String
        let policyDocument: Document
        let context: Context
    }

    let verdict: DeviceVerdict

    func answer(in form: GatewayQuestion.Form) throws -> OperatorAnswer {
        let certificate = verdict.certificate
        let (device, fleet) = (certificate?.device.text, certificate?.fleet.text)
        let context = Context(device: device, fleet: fleet, reason: verdict.denial?.rawValue)
        switch form {
        case .plain:
            let body = Plain(
                allow: verdict.isAllowed,
                device: device,
                fleet: fleet,
                notAfter: certificate?.notAfter,
                reason: verdict.denial?.rawValue,
                detail: verdict.denial?.explanation
            )
            var answer = try OperatorAnswer.json(body, status: verdict.isAllowed ? 200 : 403)
            answer.headers[.musterDevice] = device
            answer.headers[.musterFleet] = fleet
            answer.headers[.musterReason] = verdict.denial?.rawValue
            return answer
        case .simple:
            return try .json(Simple(isAuthorized: verdict.isAllowed, context: context))
        case .policy(let methodARN):
            return try .json(
                Policy(
                    principalId: certificate.map { "\($0.device)@\($0.fleet)" } ?? "unknown",
                    policyDocument: .init(
                        Statement: [.init(Effect: verdict.isAllowed ? "Allow" : "Deny", Resource: methodARN)]
                    ),
                    context: context
                )
            )
        }
    }
}

extension HTTPField.Name {
    // The names are valid tokens, so the initializer cannot fail; `date` never stands in.
    static let clientCertificate = HTTPField.Name("X-SSL-Client-Cert") ?? .date
    static let forwardedClientCertificate = HTTPField.Name("X-Forwarded-Client-Cert") ?? .date
    static let musterDevice = HTTPField.Name("X-Muster-Device") ?? .date
    static let musterFleet = HTTPField.Name("X-Muster-Fleet") ?? .date
    static let musterReason = HTTPField.Name("X-Muster-Reason") ?? .date
}
