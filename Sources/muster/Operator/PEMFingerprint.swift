import Crypto
import Foundation
import PKI
import SwiftASN1
import X509

/// SHA-256 of what a PEM file holds, in lower-case hexadecimal.
enum PEMFingerprint {
    private static let octetsMax = 64 * 1024

    /// Of the certificate's DER.
    static func certificate(_ path: String) throws -> String {
        let document = try read(path)
        guard document.discriminator == Certificate.defaultPEMDiscriminator else {
            throw CommandFailure(.refused, "\(path) holds a \(document.discriminator), not a certificate")
        }
        return Hex.text(SHA256.hash(data: document.derBytes))
    }

    /// Of the SubjectPublicKeyInfo of a public key, a request or a certificate.
    static func publicKey(_ path: String) throws -> String {
        let document = try read(path)
        do {
            switch document.discriminator {
            case "PUBLIC KEY": return Hex.text(SHA256.hash(data: document.derBytes))
            case Certificate.defaultPEMDiscriminator:
                return Hex.text(try PublicKeyInfo.sha256(of: Certificate(pemDocument: document).publicKey))
            case CertificateSigningRequest.defaultPEMDiscriminator:
                let request = try CertificateSigningRequest(pemDocument: document)
                return Hex.text(try PublicKeyInfo.sha256(of: request.publicKey))
            default:
                throw CommandFailure(
                    .refused,
                    "\(path) holds a \(document.discriminator); a public key, a request or a certificate will do"
                )
            }
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.refused, "\(path) holds no key that can be read")
        }
    }

    private static func read(_ path: String) throws -> PEMDocument {
        guard let data = FileManager.default.contents(atPath: path), data.count <= octetsMax else {
            throw CommandFailure(.refused, "\(path) cannot be read; is there such a file?")
        }
        guard let document = try? PEMDocument(pemString: String(decoding: data, as: UTF8.self)) else {
            throw CommandFailure(.refused, "\(path) is no PEM file")
        }
        return document
    }
}
