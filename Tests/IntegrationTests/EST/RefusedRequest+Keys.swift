extension RefusedRequest {
    private static func key(_ fault: String, _ script: String) -> RefusedRequest {
        RefusedRequest(fault: fault, status: 400, reason: "key-not-accepted", stage: "request", script: script)
    }

    private static func signature(_ fault: String, _ script: String) -> RefusedRequest {
        RefusedRequest(fault: fault, status: 400, reason: "signature-invalid", stage: "request", script: script)
    }

    /// What key is to be certified, and who signed for it (EST-28, K-01 to K-06, C-04).
    static let keys: [RefusedRequest] = [
        key("RSA of 1024 bits (K-01)", "key device RSA-1024; request device \"/serialNumber=$ID\""),
        key(
            "RSA of 2050 bits, which is no multiple of 8 (K-01)",
            "key device RSA-2050; request device \"/serialNumber=$ID\""
        ),
        key(
            "RSA with exponent 3 (K-01)",
            """
            openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3 -out device.key 2>/dev/null
            request device "/serialNumber=$ID"
            """
        ),
        key("the curve secp256k1 (K-02)", "key device secp256k1; request device \"/serialNumber=$ID\""),
        key("the curve P-224 (K-02)", "key device P-224; request device \"/serialNumber=$ID\""),
        key("the curve brainpoolP256r1 (K-02)", "key device brainpoolP256r1; request device \"/serialNumber=$ID\""),
        key(
            "P-256 by explicit parameters (K-02)",
            """
            openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit -out device.key
            request device "/serialNumber=$ID"
            """
        ),
        key(
            "Ed448, which is not offered (K-03)",
            "openssl genpkey -algorithm ED448 -out device.key; request device \"/serialNumber=$ID\""
        ),
        RefusedRequest(
            fault: "a DSA key",
            status: 400,
            reason: "key-not-accepted",
            stage: "request",
            script: """
                openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 -out dsa.pem 2>/dev/null
                openssl genpkey -paramfile dsa.pem -out device.key
                request device "/serialNumber=$ID"
                """
        ),
        signature(
            "a flipped bit in the signature (EST-28)",
            """
            size=$(stat -c %s device.csr)
            head -c $((size - 1)) device.csr > flipped
            printf "\\\\x$(printf %02x $((0x$(tail -c 1 device.csr | od -An -tx1 | tr -d ' ') ^ 1)))" >> flipped
            base64 flipped > device.b64
            """
        ),
        signature(
            "the signature of another key (EST-28)",
            """
            key other P-256
            start=$(openssl asn1parse -inform DER -in device.csr | sed -n '2s/^ *\\([0-9]*\\):.*/\\1/p')
            openssl asn1parse -inform DER -in device.csr -strparse "$start" -noout -out info
            assembled other
            """
        ),
        signature("a SHA-1 signature by ECDSA (K-05)", "request device \"/serialNumber=$ID\" -sha1"),
        signature("a SHA-1 signature by RSA (K-05)", "key device RSA-2048; request device \"/serialNumber=$ID\" -sha1"),
        signature("an MD5 signature by RSA (K-05)", "key device RSA-2048; request device \"/serialNumber=$ID\" -md5"),
        signature(
            "a SHA-224 signature by ECDSA (K-05)",
            "request device \"/serialNumber=$ID\" -sha224"
        ),
        signature(
            "a PSS signature with SHA-1 (K-05)",
            """
            key device RSA-2048
            request device "/serialNumber=$ID" -sha1 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20
            """
        ),
        RefusedRequest(
            fault: "the key of the bootstrap credential (C-04)",
            status: 400,
            reason: "key-of-bootstrap-credential",
            stage: "policy",
            script: "cp idevid.key device.key; request device \"/serialNumber=$ID\""
        ),
        RefusedRequest(
            fault: "the key of the manufacturer's CA (C-04)",
            status: 400,
            reason: "key-of-authority",
            stage: "policy",
            script: "cp \"$MANUFACTURER_KEY\" device.key; request device \"/serialNumber=$ID\""
        ),
        RefusedRequest(
            fault: "the key of the issuing CA (C-04)",
            status: 400,
            reason: "key-of-authority",
            stage: "policy",
            script: "cp \"$PKI/issuing.key\" device.key; request device \"/serialNumber=$ID\""
        ),
        RefusedRequest(
            fault: "the key of the root (C-04)",
            status: 400,
            reason: "key-of-authority",
            stage: "policy",
            script: "cp \"$PKI/root.key\" device.key; request device \"/serialNumber=$ID\""
        ),
        RefusedRequest(
            fault: "the key of the server (C-04)",
            status: 400,
            reason: "key-of-authority",
            stage: "policy",
            script: "cp \"$PKI/est.key\" device.key; request device \"/serialNumber=$ID\""
        ),
    ]
}
