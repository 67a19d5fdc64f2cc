import Foundation

/// Mosquitto's dynamic security plugin, through which an agent ends the sessions of revoked devices.
package enum DynamicSecurity {
    /// The file in which it keeps whom it knows, which is nobody.
    static let file = "dynamic-security.json"

    /// The text of that file at first, the same as `ops/mosquitto/dynamic-security.json`, which a test compares.
    package static let text = """
        {
            "defaultACLAccess": {
                "publishClientSend": false,
                "publishClientReceive": false,
                "subscribe": false,
                "unsubscribe": true
            },
            "clients": [],
            "groups": [],
            "roles": []
        }

        """

    /// The plugin that came with Mosquitto.
    package static func plugin() throws(LocalServerError) -> String {
        let name = "mosquitto_dynamic_security.so"
        let libraries = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
        // Debian has it in the folder of the machine's architecture.
        let folders =
            ["/usr/lib", "/usr/local/lib"] + libraries.filter { $0.hasSuffix("-linux-gnu") }.map { "/usr/lib/" + $0 }
        for path in folders.map({ "\($0)/\(name)" }) where FileManager.default.fileExists(atPath: path) { return path }
        throw .programMissing(name: "Mosquitto's dynamic security plugin", package: "mosquitto")
    }
}
