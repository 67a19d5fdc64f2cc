import Foundation
import NIOCore
import OperatorAPI
import TestPeers
import Testing

@testable import muster

/// What `muster registration import` reads.
@Suite struct RegistrationFileTests {
    private static let key = String(repeating: "AB", count: 32)

    private func read(_ text: String) throws -> (good: [API.RegistrationLine], bad: [RegistrationFile.Fault]) {
        let folder = try TemporaryDirectory(prefix: "mreg")
        let file = try RegistrationFile(folder.write("file", text.utf8))
        var good: [API.RegistrationLine] = []
        var bad: [RegistrationFile.Fault] = []
        try file.forEach { _, result in
            switch result {
            case .success(let line): good.append(line)
            case .failure(let fault): bad.append(fault)
            }
        }
        return (good, bad)
    }

    @Test func `a CSV is read with one, two or three columns, quotes, blanks and line ends of every kind`() throws {
        let lower = Self.key.lowercased()
        #expect(try read("device\na\nb\n").good.map(\.device) == ["a", "b"])
        #expect(try read("\u{FEFF}device\r\na\r\n\r\nb").good.map(\.device) == ["a", "b"])
        let full = try read("device,idevid_sha256,key_sha256\n\"a\", \(Self.key) ,\nb,,\(Self.key)\n").good
        #expect(
            full == [
                API.RegistrationLine(device: "a", idevidSHA256: lower),
                API.RegistrationLine(device: "b", keySHA256: lower),
            ]
        )
    }

    @Test func `JSON lines are told from a CSV by their first letter`() throws {
        let found = try read("{\"device\":\"a\",\"keySHA256\":\"\(Self.key)\"}\n{\"device\":\"b\"}\n")
        #expect(found.bad.isEmpty)
        #expect(found.good.map(\.device) == ["a", "b"])
        #expect(found.good[0].keySHA256 == Self.key.lowercased())
    }

    @Test(arguments: [
        ("device\nno good\n", "DeviceID"), ("device\n" + String(repeating: "x", count: 41) + "\n", "DeviceID"),
        ("device,key_sha256\na,abc\n", "64 hexadecimal"), ("device,key_sha256\na\n", "1 fields"),
        ("device\n" + String(repeating: "x", count: 10_000) + "\n", "longer"),
        ("{\"device\":\"a\"}\n{\"device\":\"a\",\"x\":1}\n", "not known"), ("{\"device\":\"a\"}\n[]\n", "object"),
        ("{\"device\":\"a\"}\n{\"keySHA256\":\"\(key)\"}\n", "device is missing"),
    ])
    func `a bad line is told with its number, and the others are read on`(text: String, reason: String) throws {
        let found = try read(
            text + (text.hasPrefix("{") ? "{\"device\":\"last\"}\n" : text.contains(",") ? "last,\n" : "last\n")
        )
        #expect(found.bad.map(\.line) == [2])
        #expect(found.bad.first?.reason.contains(reason) == true, "\(found.bad)")
        #expect(found.good.last?.device == "last")
    }

    @Test func `a file that is neither is refused with what its first line should be`() throws {
        let failure = #expect(throws: CommandFailure.self) { try read("name;key\na;b\n") }
        #expect(failure?.hint?.contains("device,key_sha256,idevid_sha256") == true)
        #expect(throws: CommandFailure.self) { try read("device,device\na,a\n") }
    }

    @Test func `a line that lies across two pieces is one line`() throws {
        let names = (0..<200_000).map { "device-number-\($0)" }
        let found = try read((["device"] + names).joined(separator: "\n"))
        #expect(found.bad.isEmpty)
        #expect(found.good.map(\.device) == names)
    }

    @Test func `what is sent is one JSON object a line that the server reads strictly`() async throws {
        let folder = try TemporaryDirectory(prefix: "mreg")
        let file = try RegistrationFile(folder.write("f", "device,key_sha256\na,\(Self.key)\nb,\n".utf8))
        var sent = ""
        for try await piece in RegistrationLines(file: file, onProgress: { _ in }) { sent += String(buffer: piece) }
        let lines = try sent.split(separator: "\n").map {
            try OperatorJSON.decodeStrictly(API.RegistrationLine.self, from: Data($0.utf8))
        }
        #expect(
            lines == [
                API.RegistrationLine(device: "a", keySHA256: Self.key.lowercased()), API.RegistrationLine(device: "b"),
            ]
        )
    }
}
