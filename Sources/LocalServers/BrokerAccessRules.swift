/// Who may publish and read what on the broker.
package enum BrokerAccessRules {
    /// The common name of the server's own client certificate. No device has it: theirs contain `@`.
    package static let serverUser = "muster-server"

    /// The same, and `agent` may end sessions through the dynamic security plugin.
    /// - Parameter agent: The common name of its certificate.
    package static func text(agent: String) -> String {
        text.replacing("# user gateway-1@demo", with: "user \(agent)")
            .replacing("# topic write $CONTROL", with: "topic write $CONTROL")
    }

    /// The text of Mosquitto's `acl_file`, the same as `ops/mosquitto/acl`, which a test compares.
    package static let text = """
        # Who may say and hear what. Read by Mosquitto at start and at SIGHUP.
        #
        # A client's username is the common name of its certificate (use_identity_as_username): the CA decided it, not the
        # client. A device's is <DeviceID>@<fleet>, made of letters, digits and . _ - @ only: what would widen a pattern, the
        # wildcards + and # and the level separator /, cannot come in by a certificate. Mosquitto refuses such names as well.
        #
        # Whatever is not named here is forbidden: there is no `topic` line for clients without a user, and no $SYS.

        # The server. No device can have this name: a device's has an @ in it.
        user muster-server
        topic readwrite muster/v1/#

        # An agent that ends the sessions of revoked devices through the dynamic security plugin: its own name here.
        # user gateway-1@demo
        # topic write $CONTROL/dynamic-security/v1

        # A device: its own branch, and nobody else's. %u is its username.
        pattern readwrite muster/v1/devices/%u/#

        # A device may hear every fleet's trust store and revocations, since a pattern knows the username only whole, not the
        # fleet in it. Both are public: a trust store is CA certificates, signed; revocations are what the CRL says as well.
        # A device takes only what is signed for its own fleet. To publish here is the server's alone.
        pattern read muster/v1/fleets/+/truststore
        pattern read muster/v1/fleets/+/revocations

        """
}
