import Glibc
import TestPeers
import Testing

extension SystemTests.Faults {
    /// Bodies that come too slowly, or too much of them (RFC 9110 sections 15.5.9 and 15.5.14).
    @Suite struct BodyTests {
        private static let bodyOctetsMax = 64 << 10
        /// How much of an endless body may go out before the connection ends: what the server reads of it, and what
        /// the kernel's buffers on both sides hold.
        private static let endlessOctetsMax = 24 << 20
        private static let growthMiBMax = 48

        @Test func `slow, large and endless bodies end in time and within bounds, and devices enroll`() async throws {
            let bed = try await FaultBed()
            let server = try await bed.server("est.idleTimeoutSeconds=5", "limits.requestBodyTimeoutSeconds=5")
            let devices = try await FaultFleet(bed, devices: 6)
            #expect(try await devices.unfinished(devices.start(at: [server]).ended()) == 0)
            let start = try server.peakMiB()
            try server.forgetPeak()
            let credential = try devices.credentialFile(1)

            // Together, since some of them take a while.
            let slowBody = try await Stranger(bed, at: server, "slow-body", credential, "60")
            let slowHead = try await Stranger(bed, at: server, "slow-head", "60")
            for form in ["length", "chunked"] {
                let largest = "\(Self.bodyOctetsMax)"
                let fits = try await Stranger(bed, at: server, "large-body", credential, largest, form, "1").call()
                #expect(fits.status == 400, "\(form): \(fits)")
                let larger = "\(Self.bodyOctetsMax + 1)"
                let large = try await Stranger(bed, at: server, "large-body", credential, larger, form, "10").call()
                #expect(large.status == 413 && large.ended, "\(form): \(large)")
                let most = "\(Self.endlessOctetsMax * 4)"
                let endless = try await Stranger(bed, at: server, "endless-body", credential, most, form).call()
                #expect(endless.ended && endless.octets < Self.endlessOctetsMax, "\(form): \(endless)")
                #expect([0, 413].contains(endless.status), "\(form): \(endless)")
                #expect(endless.seconds < 30, "\(form): \(endless)")
            }
            let meanwhile = try await FaultFleet(bed, devices: 6)
            #expect(try await meanwhile.unfinished(meanwhile.start(at: [server]).ended()) == 0)

            let body = try await slowBody.call(withinSeconds: 150)
            #expect(body.ended && [0, 408].contains(body.status) && body.seconds < 45, "\(body)")
            let head = try await slowHead.call(withinSeconds: 150)
            #expect(head.ended && [0, 408].contains(head.status) && head.seconds < 30, "\(head)")
            let growth = try server.peakMiB() - start
            #expect(growth < Self.growthMiBMax, "\(growth) MiB more than the \(start) MiB before")
            server.program.signal(SIGTERM)
            #expect(try await server.program.end(withinSeconds: 10) == 0)
        }
    }
}
