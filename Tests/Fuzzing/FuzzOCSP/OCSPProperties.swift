import Enrollment
import Foundation
import FuzzFleet
import FuzzKit
import PKI
import SwiftASN1

/// What must hold for every request that is taken.
enum OCSPProperties {
    private static let time = Date(timeIntervalSince1970: 1_768_478_400)
    private static let responder = Property.given("certifying a responder") {
        try OCSPResponder(issuer: FuzzFleet.shared.fleet.issuer, now: time)
    }

    /// It keeps its bounds, and has no second reading.
    static func checkRequest(_ request: OCSPRequest, der: [UInt8]) {
        Property.check(
            (1...OCSPRequest.certificatesMax).contains(request.certificates.count),
            "it names \(request.certificates.count) certificates"
        )
        for certificate in request.certificates {
            Property.check(certificate.serialNumber.first != 0, "a serial number begins with 0")
        }
        if let nonce = request.nonce {
            Property.check(OCSPRequest.nonceOctets.contains(nonce.count), "a nonce has \(nonce.count) octets")
        }
        let again = Property.given("reading it again") { try OCSPRequest(der: der) }
        Property.check(again == request, "it is read otherwise the second time")
        Property.check((try? OCSPRequest(der: der + [0])) == nil, "an octet after its end is taken")
    }

    /// The answer is DER, repeats each CertID in its order, and has the request's nonce or none.
    static func checkAnswer(to request: OCSPRequest) {
        let statuses = request.certificates.map { certificate in
            (certificate, responder.answers(for: certificate) ? OCSPStatus.good : .unknown)
        }
        let answer = Property.given("signing an answer") {
            try responder.sign(
                statuses,
                nonce: request.nonce,
                thisUpdate: time,
                nextUpdate: time.addingTimeInterval(3600)
            )
        }
        let read = try? DER.parse(answer)
        Property.check(read != nil, "the answer is not DER")
        var rest = answer[...]
        for certificate in request.certificates {
            guard let found = rest.firstRange(of: certificate.der) else {
                Property.check(false, "the answer lacks a CertID")
                return
            }
            rest = rest[found.upperBound...]
        }
        if let nonce = request.nonce {
            Property.check(rest.firstRange(of: nonce) != nil, "the answer lacks the nonce")
        }
    }
}
