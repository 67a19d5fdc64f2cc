import ArgumentParser
import Foundation
import TestPeers
import Testing

@testable import fleetsim

/// `muster-sim registrations`, and that it lists what `muster-sim enroll` plays.
@Suite struct `The list of registrations` {
    /// A line of the CSV.
    private struct Line: Equatable {
        let device: String
        let key: String
        let idevid: String
    }

    private func lines(_ path: String) throws -> [Line] {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.first == "device,key_sha256,idevid_sha256")
        #expect(lines.last == "")
        lines = Array(lines.dropFirst().dropLast())
        return lines.map { line in
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            #expect(fields.count == 3)
            return Line(device: fields[0], key: fields[1], idevid: fields[2])
        }
    }

    @Test(arguments: [["--identity", "idevid"], ["--identity", "claim"], ["--prefix", "lab.a"]])
    func `names exactly the devices that enroll plays with the same seed`(options: [String]) async throws {
        try await ScriptedEST.with { _, _ in
            .issue
        } _: { server in
            let list = server.workshop.folder.path + "/list.csv"
            let devices = ["--devices", "12", "--seed", "4711"] + options
            try await RegistrationsCommand.parse(devices + ["--out", list]).run()
            let dev = try server.workshop.dev(port: server.port)
            try await EnrollCommand.parse(["--dev", dev] + devices).run()
            let listed = try lines(list)
            #expect(Set(listed.map(\.device)) == Set(server.requests.map(\.deviceID)))
            #expect(listed.count == 12 && listed.allSatisfy { $0.key == "" && $0.idevid == "" })
        }
    }

    @Test(arguments: ["p256", "p384", "rsa2048", "ed25519"])
    func `pins the keys of the requests that the devices send`(key: String) async throws {
        try await ScriptedEST.with { _, _ in
            .issue
        } _: { server in
            let folder = server.workshop.folder.path + "/identities"
            let list = server.workshop.folder.path + "/list.csv"
            let options = ["--devices", "2", "--identity", "claim", "--key", key, "--identities", folder]
            try await RegistrationsCommand.parse(options + ["--pin", "key", "--out", list]).run()
            let dev = try server.workshop.dev(port: server.port)
            try await EnrollCommand.parse(["--dev", dev] + options).run()
            for line in try lines(list) {
                let request = try #require(server.requests.first { $0.deviceID == line.device })
                let pem =
                    "-----BEGIN CERTIFICATE REQUEST-----\n\(String(decoding: request.body, as: UTF8.self))\n"
                    + "-----END CERTIFICATE REQUEST-----\n"
                // What openssl finds in the request.
                let script = "openssl req -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum"
                let result = try await Program.run("bash", ["-c", script], input: Array(wrapped(pem).utf8))
                #expect(result.text.hasPrefix(line.key + " "), "\(result.errorOutput)")
                #expect(line.key.count == 64 && line.idevid == "")
            }
        }
    }

    @Test func `pins the IDevIDs that the devices present`() async throws {
        try await ScriptedEST.with { _, _ in
            .issue
        } _: { server in
            let folder = server.workshop.folder.path + "/identities"
            let list = server.workshop.folder.path + "/list.csv"
            let dev = try server.workshop.dev(port: server.port)
            let options = ["--dev", dev, "--devices", "3", "--identities", folder]
            try await RegistrationsCommand.parse(options + ["--pin", "idevid", "--out", list]).run()
            try await EnrollCommand.parse(options).run()
            let presented = server.requests.map { Line(device: $0.deviceID, key: "", idevid: $0.credential) }
            #expect(try lines(list).sorted { $0.device < $1.device } == presented.sorted { $0.device < $1.device })
        }
    }

    @Test func `of a folder that is filled lists what is in it`() async throws {
        let workshop = try Workshop()
        let folder = workshop.folder.path + "/identities"
        let manufacturer = try workshop.write(workshop.manufacturer, "manufacturer")
        let made = ["--manufacturer-cert", manufacturer.certificate, "--manufacturer-key", manufacturer.key]
        let options = ["--devices", "3", "--identities", folder]
        let (first, second) = (workshop.folder.path + "/1.csv", workshop.folder.path + "/2.csv")
        try await RegistrationsCommand.parse(options + made + ["--pin", "idevid", "--out", first]).run()
        try await RegistrationsCommand.parse(options + ["--pin", "idevid", "--out", second]).run()
        #expect(try lines(first) == lines(second))
        // Keys are for their owner's eyes only.
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(names.count == 7)
        let attributes = try FileManager.default.attributesOfItem(atPath: folder)
        #expect(attributes[.posixPermissions] as? Int == 0o700)
    }

    @Test func `pins nothing that is not kept, and no IDevID of devices that have none`() async throws {
        let error = #expect(throws: (any Error).self) {
            try RegistrationsCommand.parse(["--devices", "1", "--pin", "key"])
        }
        #expect(error.map { RegistrationsCommand.message(for: $0) }?.contains("--identities DIR") == true)
        let folder = try TemporaryDirectory(prefix: "fsim")
        let command = try RegistrationsCommand.parse([
            "--devices", "1", "--pin", "idevid", "--identity", "claim", "--identities", folder.path,
        ])
        await #expect(throws: ValidationError.self) { try await command.run() }
    }

    @Test func `needs a manufacturer for IDevIDs`() async throws {
        let folder = try TemporaryDirectory(prefix: "fsim")
        let command = try RegistrationsCommand.parse(["--devices", "1", "--identities", folder.path])
        let error = await #expect(throws: ValidationError.self) { try await command.run() }
        #expect(error?.message.contains("--manufacturer-cert") == true)
    }

    /// The base64 of a PEM text in lines that openssl reads.
    private func wrapped(_ pem: String) -> String {
        pem.split(separator: "\n").flatMap { line -> [String] in
            line.hasPrefix("-")
                ? [String(line)]
                : stride(from: 0, to: line.count, by: 64).map { start in
                    String(line.dropFirst(start).prefix(64))
                }
        }.joined(separator: "\n") + "\n"
    }
}
