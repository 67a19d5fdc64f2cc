import EST
import Testing

struct ESTPathTests {
    @Test(arguments: ESTOperation.allCases)
    func `EST-01: every operation is found with and without a label`(operation: ESTOperation) throws {
        let label = try #require(ESTLabel("demo-fleet-7"))
        let bare = ESTPath.parse("/.well-known/est/\(operation.rawValue)")
        let labelled = ESTPath.parse("/.well-known/est/demo-fleet-7/\(operation.rawValue)")
        #expect(bare == .route(ESTRoute(label: nil, operation: operation)))
        #expect(labelled == .route(ESTRoute(label: "demo-fleet-7", operation: operation)))
        #expect(ESTPath.parse(ESTPath.path(of: operation)) == bare)
        #expect(ESTPath.parse(ESTPath.path(of: operation, label: label)) == labelled)
    }

    @Test(arguments: [
        ("/.well-known/est/cacerts/", ESTPathRefusal.notALabel),
        ("/.well-known/est/demo/cacerts/", .notAnESTPath),
        ("/.well-known/est//cacerts", .notALabel),
        ("/.well-known//est/cacerts", .notAnESTPath),
        ("//.well-known/est/cacerts", .notAnESTPath),
        ("/.well-known/est/demo//cacerts", .notAnESTPath),
        ("/.well-known/est/%64emo/cacerts", .notALabel),
        ("/.well-known/est/./cacerts", .notALabel),
        ("/.well-known/est/../cacerts", .notALabel),
        ("/.well-known/est/%2e/cacerts", .notALabel),
        ("/.well-known/est/demo/../prod/cacerts", .notAnESTPath),
        ("/.well-known/est/demo%2fcacerts", .unknownOperation),
        ("/.well-known/est/Demo/cacerts", .notALabel),
        ("/.well-known/est/demo/CACerts", .unknownOperation),
        ("/.well-known/est/demo/cacerts ", .unknownOperation),
        ("/.well-known/est/demo/cacertş", .unknownOperation),
        ("/.well-known/EST/cacerts", .notAnESTPath),
        ("/.well-known/est/cacerts/cacerts", .notALabel),
        ("/.well-known/est/demo", .unknownOperation),
        ("/.well-known/est/", .unknownOperation),
        ("/.well-known/est", .notAnESTPath),
        ("/.well-known/est/demo/cacerts?x=1", .query),
        ("/.well-known/est/demo/cacerts?", .query),
        ("", .notAnESTPath),
        ("*", .notAnESTPath),
        ("https://host/.well-known/est/cacerts", .notAnESTPath),
        ("/.well-known/est/" + String(repeating: "a", count: 24) + "/cacerts", .notALabel),
        ("/.well-known/est/" + String(repeating: "a/", count: 5000), .notAnESTPath),
    ])
    func `EST-02: what differs by an octet is another path`(path: String, refusal: ESTPathRefusal) {
        #expect(ESTPath.parse(path) == .refused(refusal))
    }

    @Test(arguments: ESTOperation.allCases)
    func `EST-01: no label has the name of an operation`(operation: ESTOperation) {
        #expect(ESTLabel(operation.rawValue) == nil)
    }

    @Test
    func `A label is 1 to 23 of a-z, 0-9 and minus`() {
        #expect(ESTLabel("a")?.text == "a")
        #expect(ESTLabel(String(repeating: "z", count: 23)) != nil)
        for text in ["", String(repeating: "z", count: 24), "Demo", "de_mo", "de.mo", "dé", "de mo", "demo\n"] {
            #expect(ESTLabel(text) == nil)
        }
    }

    @Test(arguments: [
        ("application/pkcs10", true), ("Application/PKCS10", true), ("application/pkcs10; charset=x", true),
        (" application/pkcs10 ;a=b", true), ("application/pkcs10x", false), ("application/json", false), ("", false),
        // A blank at the end takes nothing with it, even what it shares a Character with.
        ("application/pkcs10\u{600} ", false), (" \u{301}application/pkcs10", false),
    ])
    func `EST-20: case and parameters of a media type do not matter`(value: String, matches: Bool) {
        #expect(ESTMediaType.pkcs10.matches(contentType: value) == matches)
    }

    @Test
    func `EST-24: the answer to an enrollment has the media type that libest compares letter by letter`() {
        #expect(
            ESTOperation.simpleenroll.responseMediaType.rawValue == "application/pkcs7-mime; smime-type=certs-only"
        )
        #expect(ESTOperation.simpleenroll.requestMediaType == .pkcs10)
        #expect(ESTOperation.cacerts.method == .get)
        #expect(ESTOperation.simplereenroll.method == .post)
    }
}
