extension RefusedRequest {
    private static func subject(_ fault: String, _ script: String) -> RefusedRequest {
        RefusedRequest(fault: fault, status: 400, reason: "subject-mismatch", stage: "names", script: script)
    }

    private static func names(_ fault: String, _ name: String) -> RefusedRequest {
        RefusedRequest(
            fault: fault,
            status: 400,
            reason: "names-not-allowed",
            stage: "names",
            script: "request device \"/serialNumber=$ID\" -addext \"subjectAltName=\(name)\""
        )
    }

    private static func authority(_ fault: String, _ extensionLine: String) -> RefusedRequest {
        RefusedRequest(
            fault: fault,
            status: 400,
            reason: "authority-requested",
            stage: "request",
            script: "request device \"/serialNumber=$ID\" -addext '\(extensionLine)'"
        )
    }

    /// The subject with a common name of that ASN.1 value, which openssl req would not write by itself.
    private static func commonName(_ fault: String, _ value: String) -> RefusedRequest {
        RefusedRequest(
            fault: fault,
            status: 400,
            reason: "subject-mismatch",
            stage: "names",
            script: """
                cat > info.conf <<END
                asn1=SEQUENCE:info
                [info]
                version=INTEGER:0
                subject=SEQUENCE:name
                key=SEQUENCE:key
                attributes=IMPLICIT:0,SET
                [name]
                rdn=SET:rdn
                [rdn]
                attribute=SEQUENCE:attribute
                [attribute]
                type=OID:commonName
                value=\(value)
                [key]
                algorithm=SEQUENCE:kind
                point=FORMAT:HEX,BITSTRING:$(openssl pkey -in device.key -pubout -outform DER | tail -c 65 | hex)
                [kind]
                oid=OID:id-ecPublicKey
                curve=OID:prime256v1
                END
                openssl asn1parse -genconf info.conf -noout -out info
                assembled device
                """
        )
    }

    /// What the request wants to be called and to be (C-02, C-03).
    static let demands: [RefusedRequest] = [
        authority("to be a CA (C-02)", "basicConstraints=critical,CA:TRUE"),
        authority("to sign certificates (C-02)", "keyUsage=critical,digitalSignature,keyCertSign"),
        authority("to sign CRLs (C-02)", "keyUsage=cRLSign"),
        names("a DNS name (C-03)", "DNS:device.example.com"),
        names("a wildcard (C-03)", "DNS:*.example.com"),
        names("its own name as DNS name (C-03)", "DNS:$ID"),
        names("an IP address (C-03)", "IP:192.0.2.1"),
        names("a mail address (C-03)", "email:a@example.com"),
        names("a registered OID (C-03)", "RID:1.2.3.4"),
        names("another device's URI (C-03)", "URI:spiffe://muster.local/demo/another-device"),
        names("another fleet's URI (C-03)", "URI:spiffe://muster.local/other/$ID"),
        names("its URI in capitals (C-03)", "URI:SPIFFE://muster.local/demo/$ID"),
        names("its URI and one more name (C-03)", "URI:spiffe://muster.local/demo/$ID,DNS:device.example.com"),
        subject("the common name of another device (C-03)", "request device /CN=another-device"),
        subject("its common name in another fleet (C-03)", "request device \"/CN=$ID@other\""),
        subject("the serial number of another device (C-03)", "request device /serialNumber=another-device"),
        subject("its own name beside another's (C-03)", "request device \"/CN=$ID/CN=another-device\""),
        subject("a common name of 64 other characters (C-03)", "request device \"/CN=$(printf 'x%.0s' {1..64})\""),
        commonName("a common name with NUL (C-03)", "FORMAT:HEX,IMPLICIT:12U,OCTETSTRING:00"),
        commonName("a common name of 65 characters (C-03)", "UTF8String:$(printf 'x%.0s' {1..65})"),
        commonName(
            "its name with NUL behind it (C-03)",
            "FORMAT:HEX,IMPLICIT:12U,OCTETSTRING:$(printf %s $ID | od -An -v -tx1 | tr -d ' \\n')00"
        ),
        commonName("its name as T61String (C-03)", "T61STRING:$ID"),
        commonName("its name as BMPString (C-03)", "FORMAT:UTF8,BMPSTRING:$ID"),
        commonName("its name as UniversalString (C-03)", "FORMAT:UTF8,UNIV:$ID"),
        commonName(
            "its name read from right to left (C-03)",
            "FORMAT:HEX,IMPLICIT:12U,OCTETSTRING:e280ae$(printf %s $ID | od -An -v -tx1 | tr -d ' \\n')"
        ),
        commonName("a common name that is no UTF-8 (C-03)", "FORMAT:HEX,IMPLICIT:12U,OCTETSTRING:c328"),
        commonName("an integer for a common name (C-03)", "INTEGER:7"),
    ]
}
