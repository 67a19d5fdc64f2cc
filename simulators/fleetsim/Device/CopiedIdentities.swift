import Synchronization
import X509

/// What clones have in common with the device that they were copied from, made by whichever of them comes first. Only
/// devices that have clones are in it.
final class CopiedIdentities: Sendable {
    private let credentials = Mutex<[Int: DeviceCredential]>([:])
    private let keys = Mutex<[Int: Certificate.PrivateKey]>([:])

    /// The credential of device `number`.
    func credential(_ number: Int, _ make: () throws -> DeviceCredential) throws -> DeviceCredential {
        try credentials.withLock { credentials in
            if let known = credentials[number] { return known }
            let made = try make()
            credentials[number] = made
            return made
        }
    }

    /// The operational key of device `number`.
    func key(_ number: Int, _ make: () throws -> Certificate.PrivateKey) throws -> Certificate.PrivateKey {
        try keys.withLock { keys in
            if let known = keys[number] { return known }
            let made = try make()
            keys[number] = made
            return made
        }
    }
}
