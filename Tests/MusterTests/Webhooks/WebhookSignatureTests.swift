import Enrollment
import Foundation
import Testing

@testable import muster

/// Signatures and answers of webhooks.
@Suite struct WebhookSignatureTests {
    /// The example of the Standard Webhooks specification's libraries.
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    private static func headers(_ secrets: [String]) throws -> [String: String] {
        let signature = try #require(WebhookSignature(secrets: secrets))
        let headers = signature.headers(
            message: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            body: Array(#"{"test": 2432232314}"#.utf8),
            at: Date(timeIntervalSince1970: 1_614_265_330.9)
        )
        return Dictionary(uniqueKeysWithValues: headers.map { ($0.name, $0.value) })
    }

    @Test func `a delivery is signed as Standard Webhooks' own example is`() throws {
        #expect(
            try Self.headers([Self.secret]) == [
                "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
                "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ]
        )
    }

    @Test func `while a receiver changes its secret, both sign`() throws {
        let next = "whsec_" + Data(repeating: 7, count: 32).base64EncodedString()
        let signatures = try Self.headers([Self.secret, "", next])["webhook-signature"]?.split(separator: " ")
        #expect(signatures?.count == 2)
        #expect(signatures?.first == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        #expect(try signatures?.last.map(String.init) == Self.headers([next])["webhook-signature"])
    }

    @Test(arguments: [
        [], ["whsec_"], ["hunter2"], ["whsec_" + Data(repeating: 7, count: 23).base64EncodedString()],
        [Data(repeating: 7, count: 65).base64EncodedString()], [secret, secret, secret], [secret, "x"],
    ])
    func `what is no secret is refused`(secrets: [String]) {
        #expect(WebhookSignature(secrets: secrets) == nil)
    }

    @Test func `secrets are in no description`() throws {
        let signature = try #require(WebhookSignature(secrets: [Self.secret]))
        #expect("\(signature)" == "signature with 1 secrets")
    }

    @Test func `2xx is taken, 410 is the end, and all else is tried again`() {
        #expect(WebhookReceiver.outcome(200, retryAfter: nil) == .delivered)
        #expect(WebhookReceiver.outcome(204, retryAfter: "5") == .delivered)
        #expect(WebhookReceiver.outcome(410, retryAfter: nil) == .gone)
        #expect(WebhookReceiver.outcome(302, retryAfter: nil) == .refused(status: 302, retryAfter: nil))
        #expect(WebhookReceiver.outcome(503, retryAfter: "120") == .refused(status: 503, retryAfter: .seconds(120)))
        #expect(WebhookReceiver.outcome(429, retryAfter: "Fri, 27 Nov") == .refused(status: 429, retryAfter: nil))
    }
}
