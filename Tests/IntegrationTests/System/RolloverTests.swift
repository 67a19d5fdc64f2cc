import TestPeers
import Testing

extension SystemTests {
    /// A root is being replaced by one of the same name with a new key (RFC 7030 section 4.1.3, EST-13).
    @Suite struct RolloverTests {
        @Test
        func `the certificates of a root rollover are in cacerts, and lead from either root to a device (EST-13)`()
            async throws
        {
            let dev = try MusterDev()
            let document = try await dev.start()
            let device = try await SystemDevice(document).enrolled()
            let folder = try TemporaryDirectory(prefix: "mroll")
            try await Shell.run(
                """
                cd "$1"
                name='/O=Muster Development/CN=Muster Dev Root'
                printf '%s\\n' 'basicConstraints=critical,CA:TRUE' 'keyUsage=critical,keyCertSign,cRLSign' \
                    'subjectKeyIdentifier=hash' 'authorityKeyIdentifier=keyid' > ca.ext
                openssl ecparam -name prime256v1 -genkey -noout -out new.key
                openssl req -x509 -new -key new.key -subj "$name" -days 7300 -out new-with-new.pem \
                    -addext keyUsage=critical,keyCertSign,cRLSign
                openssl req -new -key new.key -subj "$name" -out new.csr
                openssl x509 -req -in new.csr -CA "$2" -CAkey "$3" -days 3650 -extfile ca.ext -out new-with-old.pem
                openssl req -new -key "$3" -subj "$name" -out old.csr
                # The old key keeps its identifier, by which its certificates name it (RFC 5280 section 4.2.1.1).
                old=$(openssl x509 -in "$2" -noout -ext subjectKeyIdentifier | tail -n 1 | tr -d ' ')
                sed "s/^subjectKeyIdentifier=.*/subjectKeyIdentifier=$old/" ca.ext > old.ext
                openssl x509 -req -in old.csr -CA new-with-new.pem -CAkey new.key -days 3650 -extfile old.ext \
                    -out old-with-new.pem
                """,
                folder.path,
                document.files.root,
                document.files.root.replacing("root.pem", with: "root.key")
            )
            let rollover = ["new-with-new", "new-with-old", "old-with-new"]
            var values: [String] = []
            for name in rollover {
                let hex = try await Shell.run(
                    "openssl x509 -in \"$1\" -outform DER | od -An -v -tx1 | tr -d ' \\n'",
                    "\(folder.path)/\(name).pem"
                )
                values.append("decode('\(hex)', 'hex')")
            }
            let record = RecordProbe(document)
            try await record.query(
                """
                update issuers set rollover = array[\(values.joined(separator: ", "))];
                select pg_notify('muster_fleets', '');
                """
            )
            try await Eventually.holds("five certificates in /cacerts") {
                try await Shell.run(
                    """
                    curl -sSf --cacert "$2" "$3/.well-known/est/demo/cacerts" | base64 -d |
                        openssl pkcs7 -inform DER -print_certs -out "$1/bag.pem"
                    grep -c 'BEGIN CERTIFICATE' "$1/bag.pem"
                    """,
                    folder.path,
                    document.files.root,
                    document.urls.est
                ) == "5"
            }
            // A device that holds the new root alone follows OldWithNew; one with the old root alone needs nothing new,
            // and follows NewWithOld to whatever the new root signs.
            try await Shell.run(
                """
                cd "$1"
                # Each is in the bag as it was made.
                for one in new-with-new new-with-old old-with-new; do
                    grep -qF "$(sed -n 2,3p $one.pem | tr -d '\\n')" <(tr -d '\\n' < bag.pem)
                done
                openssl verify -x509_strict -CAfile new-with-new.pem -untrusted "$3" -untrusted old-with-new.pem "$2"
                openssl verify -x509_strict -CAfile "$4" -untrusted "$3" "$2"
                openssl verify -x509_strict -CAfile "$4" new-with-old.pem
                """,
                folder.path,
                device.certificateFile,
                document.files.issuer,
                document.files.root
            )
            try await dev.stop()
        }
    }
}
