import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests.Faults {
    /// A server, and an agent, are killed while a revocation is on its way. Nobody else does their work meanwhile.
    @Suite struct RevocationKillTests {
        /// What a device's revocation came to that was ordered of a server about to be killed.
        private struct Order: Decodable {
            /// 0 if the server was killed before it answered.
            let status: Int
        }

        /// When a server is killed: so many milliseconds after it was asked, or after it answered.
        private enum Moment {
            case asked(Int)
            case answered(Int)

            var arguments: [String] {
                switch self {
                case .asked(let milliseconds): ["asked", "\(milliseconds)"]
                case .answered(let milliseconds): ["answered", "\(milliseconds)"]
                }
            }
        }

        /// Commit, notice, CRLs and message follow each other within some ten milliseconds.
        private static let moments: [Moment] =
            [0, 1, 3, 6].map(Moment.asked) + [0, 1, 3, 6, 12, 25, 50].map(Moment.answered)

        private static func order(
            _ device: SystemDevice,
            _ bed: RevocationBed,
            _ server: FaultServer,
            _ moment: Moment
        ) async throws -> Order {
            let said = try await Shell.run(
                killing,
                server.operatorURL,
                bed.document.files.root,
                bed.document.files.operatorCert,
                bed.document.files.operatorKey,
                "/api/v1/fleets/\(bed.document.fleet)/devices/\(device.id)/revoke",
                "\(server.program.processID)",
                moment.arguments[0],
                moment.arguments[1]
            )
            return try JSONDecoder().decode(Order.self, from: Data(said.utf8))
        }

        @Test func `a server killed at any moment of a revocation does all of it when it is back, or none of it`()
            async throws
        {
            let bed = try await RevocationBed()
            var server = try await bed.server()
            let topic = "muster/v1/fleets/\(bed.document.fleet)/revocations"
            let witness = try await BrokerWitness(state: bed.state, document: bed.document, topics: [topic])
            var revoked: [SystemDevice] = []
            for moment in Self.moments {
                let device = try await bed.device(at: server)
                #expect(try await PublicLook(server, device).verdict() == "good")
                let order = try await Self.order(device, bed, server, moment)
                try await server.isKilled()
                server = try await server.started()
                if case .answered = moment { #expect(order.status == 200) }
                if order.status == 200 {
                    // From its first answers on, whatever it had in memory.
                    #expect(try await PublicLook(server, device).verdict() == "revoked", "\(moment)")
                    #expect(try await bed.progress(of: device, at: server) != nil, "\(moment)")
                } else if try await bed.progress(of: device, at: server) == nil {
                    // None of it: as if it had not been asked.
                    #expect(try await PublicLook(server, device).verdict() == "good", "\(moment)")
                    #expect(try await bed.revoke(device, at: server) == 200, "\(moment)")
                }
                try await bed.isEverywhere(device, at: server)
                revoked.append(device)
            }
            // One change, one audit entry, one message each; the broker may be told twice, in order.
            try await witness.end()
            let heard = try witness.texts(on: topic).map { try Message($0) }
            #expect(heard.map(\.sequence) == heard.map(\.sequence).sorted())
            let once = heard.reduce(into: [Message]()) { if $0.last != $1 { $0.append($1) } }
            #expect(once.map(\.device) == revoked.map(\.id))
            let entries = try await bed.record.query(
                "select count(*) from audit where action = 'device.revoked'"
            )
            #expect(entries == "\(revoked.count)")
            try await Self.isWhole(bed)
            try await server.stop()
        }

        /// A message on the fleet's topic of revocations.
        struct Message: Decodable, Equatable {
            let device: String
            let state: String
            let sequence: Int

            init(_ text: String) throws { self = try JSONDecoder().decode(Message.self, from: Data(text.utf8)) }
        }

        @Test func `what the broker did not get before the server was killed it gets from the next one, in order`()
            async throws
        {
            let bed = try await RevocationBed()
            let server = try await bed.server()
            let topic = "muster/v1/fleets/\(bed.document.fleet)/revocations"
            let witness = try await BrokerWitness(state: bed.state, document: bed.document, topics: [topic])
            try await witness.isKept()
            let devices = [try await bed.device(at: server), try await bed.device(at: server)]
            try await bed.peers.killBroker()
            for device in devices {
                // Nobody waits for the broker, and all that does not need it has the revocation.
                #expect(try await bed.revoke(device, at: server) == 200)
                try await Eventually.holds("all but the broker") {
                    try await bed.progress(of: device, at: server)?.lacking == ["published"]
                }
                #expect(try await PublicLook(server, device).verdict() == "revoked")
                #expect(try await PublicLook(server, device).isListed())
            }
            try await server.kill()
            try await bed.peers.startBroker()
            #expect(witness.texts(on: topic).isEmpty)
            let again = try await server.started()
            for device in devices { try await bed.isEverywhere(device, at: again) }
            try await witness.end()
            let heard = try witness.texts(on: topic).map { try Message($0).device }
            #expect(heard.reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } } == devices.map(\.id))
            try await again.stop()
        }

        @Test
        func `server and agent killed before the CRL: the sessions of who was revoked end once both are back`()
            async throws
        {
            let bed = try await RevocationBed()
            let server = try await bed.server()
            let scene = try await SessionScene(bed)
            let lost = try await scene.listener()
            let kept = try await scene.listener()

            // Nobody can write lists as long as another session holds them.
            let holder = try await BackgroundProgram([
                "psql", "-X", "-q", "-c", "begin", "-c", "lock table crls in exclusive mode", "-c",
                "select pg_sleep(600)", bed.record.superuserURI,
            ])
            let holding = "from pg_locks where mode = 'ExclusiveLock' and relation = 'crls'::regclass and granted"
            try await Eventually.holds("the lock on the lists") {
                try await bed.record.query("select count(*) \(holding)") == "1"
            }
            #expect(try await bed.revoke(lost.device, at: server) == 200)
            // The agent has heard of it, and waits for the list.
            try await Eventually.holds("the agent's knowledge of it") {
                try await Program.run("grep", ["-q", lost.device.id, scene.agentState]).succeeded
            }
            let lacking = try #require(try await bed.progress(of: lost.device, at: server)).lacking
            #expect(lacking == ["crl", "crl-complete", "agents", "sessions"])
            try await server.kill()
            scene.agent.signal(SIGKILL)
            #expect(!lost.isEnded)
            holder.signal(SIGKILL)
            // The session outlives its psql.
            try await bed.record.query("select pg_terminate_backend(pid) \(holding)")

            let again = try await server.started()
            // Without the agent, all but its own.
            try await Eventually.holds("all but the agent") {
                try await bed.progress(of: lost.device, at: again)?.lacking == ["agents", "sessions"]
            }
            #expect(!lost.isEnded)
            let agent = try await scene.bed.startAgent()
            try await bed.isEverywhere(lost.device, at: again)
            try await Eventually.holds("the session's end") { lost.isEnded }
            #expect(try await SystemTests.MosquittoTests.isRefused(lost.device))
            #expect(kept.connects == 1 && !kept.isEnded)

            // The agent was there, and the server is killed before it hears what the agent did.
            let late = try await scene.listener()
            agent.signal(SIGSTOP)
            #expect(try await bed.revoke(late.device, at: again) == 200)
            try await Eventually.holds("all but the agent's") {
                try await bed.progress(of: late.device, at: again)?.lacking == ["agents", "sessions"]
            }
            try await again.kill()
            agent.signal(SIGCONT)
            let last = try await again.started()
            try await bed.isEverywhere(late.device, at: last)
            try await Eventually.holds("the late session's end") { late.isEnded }
            #expect(try await SystemTests.MosquittoTests.isRefused(late.device))
            #expect(kept.connects == 1 && !kept.isEnded)
            agent.signal(SIGTERM)
            #expect(try await agent.end(withinSeconds: 30) == 0, "\(agent.log.suffix(3_000))")
            try await last.stop()
        }

        /// Nothing of a revocation is in the record without the rest of it.
        static func isWhole(_ bed: RevocationBed) async throws {
            let odd = try await bed.record.query(
                """
                select 'device', device_id from devices d where d.revocation_reason is not null and (
                    not exists (select from revocations r where r.fleet_id = d.fleet_id and r.device_id = d.device_id)
                    or not exists (select from audit a where a.seq = d.revocation_seq and a.action = 'device.revoked')
                    or not exists (select from outbox o where o.audit_seq = d.revocation_seq)
                    or exists (select from device_keys k where k.fleet_id = d.fleet_id and k.device_id = d.device_id
                               and k.revoked_at is null));
                select 'certificate', device_id from certificates c
                where (c.status = 'revoked') <> exists (
                    select from revocations r where r.issuer_id = c.issuer_id and r.serial = c.serial);
                select 'message', id::text from outbox where audit_seq is not null and published_at is null;
                select 'change', id::text from crl_changes
                """
            )
            #expect(odd == "")
            let audit = try await Shell.muster("audit", "verify", "--database", bed.record.serverURI)
            #expect(audit.succeeded, "\(audit.errorOutput)")
            let check = try await Shell.muster("crl", "check", "--config", bed.state + "/muster.yaml")
            #expect(check.succeeded, "\(check.text) \(check.errorOutput)")
        }

        /// Orders a revocation on a connection that is open already, and kills the server.
        private static let killing = """
            python3 - "$@" <<'PYTHON'
            import http.client, json, os, signal, ssl, sys, time, urllib.parse
            url, root, cert, key, path, process, moment, pause = sys.argv[1:]
            front = urllib.parse.urlsplit(url)
            context = ssl.create_default_context(cafile=root)
            context.load_cert_chain(cert, key)
            connection = http.client.HTTPSConnection(front.hostname, front.port, context=context, timeout=60)
            connection.connect()
            body = json.dumps({"reason": "keyCompromise"})
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            status = 0
            if moment == "answered":
                status = connection.getresponse().status
            time.sleep(int(pause) / 1000)
            os.kill(int(process), signal.SIGKILL)
            if moment == "asked":
                try:
                    status = connection.getresponse().status
                except (http.client.HTTPException, OSError):
                    pass
            print(json.dumps({"status": status}))
            PYTHON
            """
    }
}
