import EST
import FuzzKit
import SwiftASN1

/// What the readers of EST's DER messages promise.
enum MessageProperties {
    static func check(_ message: [UInt8]) {
        checkCertsOnly(message)
        checkPacking(message)
        checkAttributes(message)
    }

    private static func checkCertsOnly(_ message: [UInt8]) {
        do throws(CertsOnlyDefect) {
            let certificates = try CertsOnly.decode(message)
            Property.check((1...CertsOnly.certificatesMax).contains(certificates.count), "count")
            Property.check(message.count <= CertsOnly.octetsMax, "a message over the bound was read")
            Property.check(certificates.map(\.count).reduce(0, +) < message.count, "more octets than the message has")
            for certificate in certificates {
                Property.check((try? DER.parse(certificate))?.identifier == .sequence, "a certificate is no SEQUENCE")
            }
            checkWritten(certificates)
            checkBound(message, certificates: certificates.count)
        } catch {
            Property.checkReason(error.description)
        }
    }

    private static func checkBound(_ message: [UInt8], certificates: Int) {
        do throws(CertsOnlyDefect) {
            _ = try CertsOnly.decode(message, certificatesMax: certificates - 1)
            Property.check(false, "more certificates than allowed were read")
        } catch {
            Property.check(error == .tooMany(max: certificates - 1), "refused as \(error)")
        }
    }

    /// The same set gives the same octets (EST-14), and they are read again.
    private static func checkWritten(_ certificates: [[UInt8]]) {
        let written = Property.given("writing what was read") { try CertsOnly.encode(certificates) }
        let turned = Property.given("writing it turned") {
            try CertsOnly.encode(certificates.reversed() + certificates.prefix(1))
        }
        Property.check(written == turned || certificates.count == CertsOnly.certificatesMax, "the order shows")
        let read = Property.given("reading what was written") { try CertsOnly.decode(written) }
        Property.check(Set(read) == Set(certificates) && read.count == Set(read).count, "another set was read")
    }

    /// Any nodes of DER, as if they were certificates.
    private static func checkPacking(_ input: [UInt8]) {
        var nodes: [[UInt8]] = []
        if let root = try? DER.parse(input), case .constructed(let members) = root.content {
            nodes = members.prefix(CertsOnly.certificatesMax + 1).map { Array($0.encodedBytes) }
        }
        do throws(CertsOnlyDefect) {
            let message = try CertsOnly.encode(nodes)
            Property.check((1...CertsOnly.certificatesMax).contains(nodes.count), "\(nodes.count) were packed")
            let read = Property.given("reading what was packed") { try CertsOnly.decode(message) }
            Property.check(Set(read) == Set(nodes), "another set was read")
        } catch {
            Property.checkReason(error.description)
            Property.check(
                nodes.isEmpty || nodes.count > CertsOnly.certificatesMax
                    || nodes.contains { $0.first != FuzzDER.sequence },
                "a set of certificates was refused: \(error)"
            )
        }
    }

    private static func checkAttributes(_ message: [UInt8]) {
        do throws(CSRAttributesDefect) {
            let attributes = try CSRAttributes(derEncoded: message)
            Property.check(attributes.elements.count <= CSRAttributes.elementsMax, "too many elements")
            for case .attribute(let type, let values) in attributes.elements {
                Property.check(values.count <= CSRAttributes.valuesMax, "too many values")
                Property.check(attributes.values(of: type) != nil, "an attribute is not found")
            }
            let written = Property.given("writing what was read") { try attributes.encoded() }
            let again = Property.given("reading what was written") { try CSRAttributes(derEncoded: written) }
            Property.check(attributes.elements.map(\.type) == again.elements.map(\.type), "other types")
            Property.check(written == (try? again.encoded()), "writing is not stable")
        } catch {
            Property.checkReason(error.description)
        }
    }
}
