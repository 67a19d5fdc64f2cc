import SwiftASN1
import X509

/// The names that devices go by in certificates and requests.
enum DeviceName {
    static func commonName(_ deviceID: String) -> RelativeDistinguishedName.Attribute {
        RelativeDistinguishedName.Attribute(type: .NameAttributes.commonName, utf8String: deviceID)
    }

    /// serialNumber, a PrintableString (X.520), which every DeviceID but one with `_` can be.
    static func serialNumber(_ deviceID: String) -> RelativeDistinguishedName.Attribute {
        let value: RelativeDistinguishedName.Attribute.Value =
            (try? .init(printableString: deviceID)) ?? .init(utf8String: deviceID)
        return RelativeDistinguishedName.Attribute(type: .NameAttributes.serialNumber, value: value)
    }

    /// A CSR in DER: the DeviceID as CN, with an IDevID as serialNumber too, and nothing else; what a certificate
    /// contains is the server's to decide.
    static func request(_ deviceID: String, identity: IdentityKind, key: Certificate.PrivateKey) throws -> [UInt8] {
        let names =
            switch identity {
            case .idevid: [commonName(deviceID), serialNumber(deviceID)]
            case .claim: [commonName(deviceID)]
            }
        let request = try CertificateSigningRequest(
            version: .v1,
            subject: DistinguishedName(names),
            privateKey: key,
            attributes: CertificateSigningRequest.Attributes()
        )
        var serializer = DER.Serializer()
        try serializer.serialize(request)
        return serializer.serializedBytes
    }
}
