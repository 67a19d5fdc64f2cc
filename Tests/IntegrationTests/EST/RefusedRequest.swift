import Testing

/// One way to be refused: what is sent, and what comes back.
struct RefusedRequest: Sendable, CustomTestStringConvertible {
    /// What is wrong with it; a test's name.
    let fault: String
    let status: Int
    let reason: String
    let stage: String
    var operation = "simpleenroll"
    /// NAME of the credential's files, nil for none.
    var credential: String? = "idevid"
    /// Makes the credential and `device.b64`, beside what ``Workbench/makeDevice(_:subject:)`` has made.
    let script: String

    var testDescription: String { fault }
}

extension RefusedRequest {
    /// Who asks (EST-06, EST-26).
    static let identities: [RefusedRequest] = [
        RefusedRequest(
            fault: "no client certificate",
            status: 401,
            reason: "client-certificate-required",
            stage: "identity",
            credential: nil,
            script: "true"
        ),
        RefusedRequest(
            fault: "no client certificate, to renew",
            status: 401,
            reason: "client-certificate-required",
            stage: "identity",
            operation: "simplereenroll",
            credential: nil,
            script: "true"
        ),
        RefusedRequest(
            fault: "a self-signed certificate",
            status: 403,
            reason: "certificate-not-trusted",
            stage: "identity",
            script: "openssl req -x509 -key idevid.key -subj \"/serialNumber=$ID\" -days 9 -out idevid.pem"
        ),
        RefusedRequest(
            fault: "an IDevID of another CA of the same name",
            status: 403,
            reason: "certificate-not-trusted",
            stage: "identity",
            script: """
                key evil P-256
                openssl req -x509 -key evil.key -subj '/O=Muster Development/CN=Muster Dev Manufacturer' -days 9 -out evil.pem \\
                    -addext keyUsage=critical,keyCertSign
                credential idevid evil.pem evil.key "/serialNumber=$ID"
                """
        ),
        RefusedRequest(
            fault: "a certificate of the root, which signs no devices",
            status: 403,
            reason: "certificate-not-trusted",
            stage: "identity",
            script: "credential idevid \"$ROOT\" \"$PKI/root.key\" \"/CN=$ID@demo/serialNumber=$ID\""
        ),
        RefusedRequest(
            fault: "an expired IDevID",
            status: 403,
            reason: "certificate-not-valid",
            stage: "identity",
            script:
                "dated idevid \"$MANUFACTURER\" \"$MANUFACTURER_KEY\" \"/serialNumber=$ID\" 20200101000000Z 20210101000000Z"
        ),
        RefusedRequest(
            fault: "an IDevID that is not yet valid",
            status: 403,
            reason: "certificate-not-valid",
            stage: "identity",
            script:
                "dated idevid \"$MANUFACTURER\" \"$MANUFACTURER_KEY\" \"/serialNumber=$ID\" 20900101000000Z 20910101000000Z"
        ),
        RefusedRequest(
            fault: "an IDevID that is signed with SHA-1 (K-05)",
            status: 403,
            reason: "certificate-not-valid",
            stage: "identity",
            script: "idevid idevid \"/serialNumber=$ID\" -sha1"
        ),
        RefusedRequest(
            fault: "an IDevID for TLS servers alone (V-01)",
            status: 403,
            reason: "certificate-not-valid",
            stage: "identity",
            script: "echo extendedKeyUsage=serverAuth >> idevid.ext; idevid idevid \"/serialNumber=$ID\""
        ),
        RefusedRequest(
            fault: "an IDevID with an unknown critical extension (V-01)",
            status: 403,
            reason: "certificate-not-valid",
            stage: "identity",
            script: "echo 1.2.3.4=critical,ASN1:NULL >> idevid.ext; idevid idevid \"/serialNumber=$ID\""
        ),
        RefusedRequest(
            fault: "an IDevID that another device's IDevID signed (V-01)",
            status: 403,
            reason: "certificate-not-valid",
            stage: "identity",
            script: """
                idevid other /serialNumber=other
                credential idevid other.pem other.key "/serialNumber=$ID"
                cat other.pem >> idevid.pem
                """
        ),
        RefusedRequest(
            fault: "an operational certificate at simpleenroll (EST-06)",
            status: 403,
            reason: "bootstrap-credential-required",
            stage: "identity",
            credential: "ldevid",
            script: "credential ldevid \"$ISSUER\" \"$PKI/issuing.key\" \"/CN=$ID@demo\""
        ),
        RefusedRequest(
            fault: "an operational certificate of another fleet",
            status: 403,
            reason: "certificate-not-trusted",
            stage: "identity",
            operation: "simplereenroll",
            credential: "ldevid",
            script: "credential ldevid \"$ISSUER\" \"$PKI/issuing.key\" \"/CN=$ID@other\""
        ),
        RefusedRequest(
            fault: "an expired operational certificate (EST-35)",
            status: 403,
            reason: "certificate-not-valid",
            stage: "identity",
            operation: "simplereenroll",
            credential: "ldevid",
            script: "dated ldevid \"$ISSUER\" \"$PKI/issuing.key\" \"/CN=$ID@demo\" 20200101000000Z 20210101000000Z"
        ),
        RefusedRequest(
            fault: "an operational certificate that the record does not know",
            status: 403,
            reason: "certificate-unknown",
            stage: "policy",
            operation: "simplereenroll",
            credential: "ldevid",
            script: """
                credential ldevid "$ISSUER" "$PKI/issuing.key" "/CN=$ID@demo"
                request device "/CN=$ID@demo"
                """
        ),
        RefusedRequest(
            fault: "an IDevID without serial number",
            status: 403,
            reason: "device-id-missing",
            stage: "names",
            script: "idevid idevid '/O=Example Devices/CN=thing'"
        ),
        RefusedRequest(
            fault: "an IDevID with two serial numbers",
            status: 403,
            reason: "device-id-missing",
            stage: "names",
            script: "idevid idevid \"/serialNumber=$ID/serialNumber=other\""
        ),
        RefusedRequest(
            fault: "an IDevID whose serial number is no DeviceID",
            status: 403,
            reason: "device-id-missing",
            stage: "names",
            script: "idevid idevid \"/serialNumber=$ID with blanks\""
        ),
        RefusedRequest(
            fault: "an IDevID whose serial number is too long",
            status: 403,
            reason: "device-id-missing",
            stage: "names",
            script: "idevid idevid \"/serialNumber=$ID-0123456789012345678901234567890123456789\""
        ),
        RefusedRequest(
            fault: "a claim certificate and a request without common name",
            status: 403,
            reason: "device-id-missing",
            stage: "names",
            credential: "claim",
            script: "cp \"$CLAIM\" claim.pem; cp \"$CLAIM_KEY\" claim.key"
        ),
        RefusedRequest(
            fault: "a claim certificate and a common name that is no DeviceID",
            status: 403,
            reason: "device-id-missing",
            stage: "names",
            credential: "claim",
            script: "cp \"$CLAIM\" claim.pem; cp \"$CLAIM_KEY\" claim.key; request device '/CN=*.example.com'"
        ),
        RefusedRequest(
            fault: "a claim certificate and a common name of another fleet",
            status: 403,
            reason: "device-id-missing",
            stage: "names",
            credential: "claim",
            script: "cp \"$CLAIM\" claim.pem; cp \"$CLAIM_KEY\" claim.key; request device \"/CN=$ID@other\""
        ),
        RefusedRequest(
            fault: "a claim certificate and two common names",
            status: 403,
            reason: "device-id-missing",
            stage: "names",
            credential: "claim",
            script: "cp \"$CLAIM\" claim.pem; cp \"$CLAIM_KEY\" claim.key; request device \"/CN=$ID/CN=other\""
        ),
    ]
}
