import FuzzFleet
import FuzzKit
import PKI
import SwiftASN1
import X509

@testable import Enrollment

/// What `RequestNames` promises of a request that it lets through.
enum NameProperties {
    private static let names = Property.given("naming a device") { () throws -> DeviceNames in
        let device = DeviceID(FuzzFleet.deviceText)
        Property.check(device != nil, "the device has a name")
        return try DeviceNames(device: device ?? otherwise(), fleet: FuzzFleet.shared.fleet.name)
    }

    private enum Missing: Error { case device }

    private static func otherwise() throws -> DeviceID { throw Missing.device }

    /// CN=device@fleet, O=Example Works, as both certificates' subjects.
    private static let subject = DistinguishedName([
        RelativeDistinguishedName(.init(type: .RDNAttributeType.organizationName, utf8String: "Example Works")),
        RelativeDistinguishedName(.init(type: .RDNAttributeType.commonName, utf8String: names.commonName)),
    ])

    private static let bootstrap = BootstrapIdentity(
        anchor: FuzzFleet.shared.fleet.record.anchors[1],
        subject: subject,
        credentialSHA256: [],
        publicKeySHA256: []
    )

    /// Its relative names, in DER.
    private static let relativeNames =
        FuzzDER.relativeName(0x0A, Array("Example Works".utf8))
        + FuzzDER.relativeName(0x03, Array(names.commonName.utf8))

    /// The extension that asks for the device's own URI, which its certificate has, too.
    private static let ownURI = FuzzDER.alternativeNames(
        FuzzDER.node(0x86, Array(names.spiffeID(FuzzFleet.shared.fleet.profile).utf8))
    )

    private static let operational = Property.given("making an operational certificate") {
        try Certificate(
            derEncoded: FuzzFleet.shared.issuing.certificate(subject: relativeNames, extensions: ownURI)
        )
    }

    /// That sound requests are let through. Otherwise nothing that follows from it would be tried, and nobody would know.
    static let isOpen = Property.given("asking soundly") {
        let der = try FuzzRequest.der(
            subject: relativeNames,
            attributes: FuzzRequest.extensionRequest(ownURI)
        )
        let request = try UnverifiedRequest(der: der).verified(KeyPolicy())
        let profile = FuzzFleet.shared.fleet.profile
        return RequestNames.refusal(request, names: names, bootstrap: bootstrap, profile: profile) == nil
            && RequestNames.refusal(request, renewing: operational) == nil
    }

    static func check(_ request: VerifiedRequest, der: [UInt8]) {
        let profile = FuzzFleet.shared.fleet.profile
        let own = GeneralName.uniformResourceIdentifier(names.spiffeID(profile))
        if let refusal = RequestNames.refusal(request, names: names, bootstrap: bootstrap, profile: profile) {
            Property.checkLine(refusal.detail)
        } else {
            Property.check(request.names.allSatisfy { $0 == own }, "another name is asked for")
            Property.check(!asksForAuthority(der), "a CA is asked for")
            if !request.subject.matches(subject), let name = request.subject.commonName {
                // As RFC 5280 section 7.1 compares: what is canonically equivalent is the same name.
                let accepted = [FuzzFleet.deviceText, names.commonName]
                Property.check(accepted.contains(name), "another device's common name is let through")
            }
        }
        if let refusal = RequestNames.refusal(request, renewing: operational) {
            Property.checkLine(refusal.detail)
        } else {
            Property.check(request.names == [own], "a renewal changes names")
            Property.check(request.subject.matches(subject), "a renewal changes the subject")
            Property.check(!asksForAuthority(der), "a renewal asks for a CA")
        }
    }

    /// True if some extension below an extensionRequest is a basicConstraints of a CA, or a keyUsage with keyCertSign
    /// or cRLSign, found by its octets alone. Below another attribute nobody takes it for an extension.
    private static func asksForAuthority(_ der: [UInt8]) -> Bool {
        guard let root = try? DER.parse(der) else { return false }
        return members(root, depth: 0).contains { node in
            guard let type = members(node).first.flatMap({ try? ASN1ObjectIdentifier(derEncoded: $0) }) else {
                return false
            }
            return type == extensionRequest && holdsAuthority(node, depth: 0)
        }
    }

    /// RFC 2985 section 5.4.2.
    private static let extensionRequest: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 14]

    /// The members of a node; none if it has none.
    private static func members(_ node: ASN1Node) -> [ASN1Node] {
        if case .constructed(let members) = node.content { Array(members) } else { [] }
    }

    /// A node and all below it.
    private static func members(_ node: ASN1Node, depth: Int) -> [ASN1Node] {
        guard depth < 12 else { return [] }
        return [node] + members(node).flatMap { members($0, depth: depth + 1) }
    }

    private static func holdsAuthority(_ node: ASN1Node, depth: Int) -> Bool {
        guard depth < 12 else { return false }
        let nodes = members(node)
        if node.identifier == .sequence, (2...3).contains(nodes.count),
            let type = try? ASN1ObjectIdentifier(derEncoded: nodes[0]),
            let value = nodes.last.flatMap({ try? ASN1OctetString(derEncoded: $0).bytes })
        {
            if type == .X509ExtensionID.basicConstraints { return value.starts(with: [0x30, 0x03, 0x01, 0x01, 0xFF]) }
            if type == .X509ExtensionID.keyUsage, value.starts(with: [0x03, 0x02]), let bits = value.dropFirst(3).first
            {
                return bits & 0x06 != 0
            }
        }
        return nodes.contains { holdsAuthority($0, depth: depth + 1) }
    }
}
