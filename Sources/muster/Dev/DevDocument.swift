import Foundation
import SwiftASN1

/// `DIR/dev.json`: where everything is, for tools and tests.
struct DevDocument: Encodable {
    struct URLs: Encodable {
        let est: String
        let publicFront: String
        let operatorFront: String
        let metrics: String

        private enum CodingKeys: String, CodingKey {
            case est, metrics
            case publicFront = "public"
            case operatorFront = "operator"
        }
    }

    struct Broker: Encodable {
        let host: String
        let port: Int
    }

    struct Files: Encodable {
        let root: String
        let issuer: String
        let claimCert: String
        let claimKey: String
        let claimCACert: String
        let claimCAKey: String
        let manufacturerCert: String
        let manufacturerKey: String
        let operatorCert: String
        let operatorKey: String
    }

    let pid: Int32
    let urls: URLs
    let mqtt: Broker
    let database: String
    let fleet: String
    let files: Files

    init(ports: DevPorts, database: String, fleet: String, pki: DevPKI, issuer: String) {
        pid = ProcessInfo.processInfo.processIdentifier
        urls = URLs(
            est: "https://localhost:\(ports.est)",
            publicFront: "http://localhost:\(ports.publicFront)",
            operatorFront: "https://localhost:\(ports.operatorFront)",
            metrics: "http://localhost:\(ports.metrics)"
        )
        mqtt = Broker(host: "localhost", port: ports.broker)
        self.database = database
        self.fleet = fleet
        files = Files(
            root: pki.certificate(.root),
            issuer: issuer,
            claimCert: pki.certificate(.claim),
            claimKey: pki.key(.claim),
            claimCACert: pki.certificate(.claimCA),
            claimCAKey: pki.key(.claimCA),
            manufacturerCert: pki.certificate(.manufacturer),
            manufacturerKey: pki.key(.manufacturer),
            operatorCert: pki.certificate(.operator),
            operatorKey: pki.key(.operator)
        )
    }

    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self)) + [0x0A]
    }
}

/// Certificates to and from PEM.
enum CertificatePEM {
    static func text(_ der: [UInt8]) -> String { PEMDocument(type: "CERTIFICATE", derBytes: der).pemString + "\n" }

    /// DER of the first certificate.
    static func first(in bytes: [UInt8]) throws -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self)
        let first = try PEMDocument.parseMultiple(pemString: text).first
        return [UInt8](try first?.derBytes ?? PEMDocument(pemString: text).derBytes)
    }
}
