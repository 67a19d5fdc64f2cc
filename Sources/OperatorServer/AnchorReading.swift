import Enrollment
import Foundation
import OperatorAPI
import PKI
import SwiftASN1
import X509

/// Reads a fleet's anchors: each must be one CA certificate that still counts, and no two the same CA.
struct AnchorReading {
    let now: Date

    /// A CA, whatever certificate of it is given.
    private struct Authority: Hashable {
        let subject: DistinguishedName
        let key: Certificate.PublicKey
    }

    func anchors(
        _ given: [FleetDescription.Anchor],
        _ faults: inout FaultList
    ) -> [FleetCreation.Anchor] {
        if given.count > FleetDescription.anchorsMax {
            faults.add("anchors", "has \(given.count) anchors; at most \(FleetDescription.anchorsMax) are taken")
            return []
        }
        var names: Set<String> = []
        var authorities: Set<Authority> = []
        var anchors: [FleetCreation.Anchor] = []
        for (index, anchor) in given.enumerated() {
            let place = "anchors[\(index)]"
            if !AnchorName.isOne(anchor.name) {
                faults.add("\(place).name", AnchorName.rule)
            } else if !names.insert(anchor.name).inserted {
                faults.add("\(place).name", "is another anchor's too")
            }
            let certificate = certificate(anchor.certificate, at: "\(place).certificate", &faults)
            if let certificate {
                let authority = Authority(subject: certificate.1.subject, key: certificate.1.publicKey)
                if !authorities.insert(authority).inserted {
                    faults.add("\(place).certificate", "is the CA of another anchor too")
                }
            }
            let rule = rule(anchor, at: place, &faults)
            let keyChange = keyChange(anchor.keyChange, at: "\(place).keyChange", &faults)
            let limits = AnchorLimits(
                whole: faults.limits(anchor.limits, at: "\(place).limits"),
                credential: faults.limits(anchor.credentialLimits, at: "\(place).credentialLimits")
            )
            guard let certificate, let rule else { continue }
            anchors.append(
                FleetCreation.Anchor(
                    name: anchor.name,
                    certificate: certificate.0,
                    rule: rule,
                    keyChange: keyChange,
                    limits: limits
                )
            )
        }
        return anchors
    }

    private func certificate(
        _ pem: String,
        at path: String,
        _ faults: inout FaultList
    ) -> ([UInt8], Certificate)? {
        guard let documents = try? PEMDocument.parseMultiple(pemString: pem), documents.count == 1,
            let document = documents.first, document.discriminator == Certificate.defaultPEMDiscriminator
        else {
            faults.add(path, "must be one certificate in PEM, from BEGIN CERTIFICATE to END CERTIFICATE")
            return nil
        }
        guard let certificate = try? Certificate(derEncoded: document.derBytes) else {
            faults.add(path, "is not an X.509 certificate with a supported key and signature")
            return nil
        }
        guard case .isCertificateAuthority? = try? certificate.extensions.basicConstraints else {
            faults.add(path, "is not a CA's: basicConstraints does not say CA:TRUE")
            return nil
        }
        guard now <= certificate.notValidAfter else {
            faults.add(path, "expired at \(certificate.notValidAfter.formatted(.iso8601))")
            return nil
        }
        return (document.derBytes, certificate)
    }

    private func rule(
        _ anchor: FleetDescription.Anchor,
        at place: String,
        _ faults: inout FaultList
    ) -> DeviceIDRule? {
        guard DeviceIDRule.names.contains(anchor.deviceID) else {
            faults.add("\(place).deviceID", "must be one of \(DeviceIDRule.names.joined(separator: ", "))")
            return nil
        }
        let pattern = anchor.uriPattern.flatMap { DeviceIDPattern($0) }
        if anchor.uriPattern != nil, pattern == nil {
            faults.add("\(place).uriPattern", "must be a URI with one {id} in it, such as urn:example:device:{id}")
            return nil
        }
        guard let rule = DeviceIDRule(name: anchor.deviceID, pattern: pattern) else {
            faults.add("\(place).uriPattern", pattern == nil ? "is missing" : "goes with san-uri alone")
            return nil
        }
        return rule
    }

    private func keyChange(_ text: String?, at path: String, _ faults: inout FaultList) -> KeyChangeRule? {
        guard let text else { return nil }
        let rule = KeyChangeRule(rawValue: text)
        if rule == nil {
            faults.add(path, "must be one of \(KeyChangeRule.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return rule
    }
}
