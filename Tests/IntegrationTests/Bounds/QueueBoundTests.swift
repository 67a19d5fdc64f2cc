import TestPeers
import Testing

extension SystemTests.Bounds {
    /// The bounds on the way to the record: a full queue refuses at once, says when to come again, and loses nothing of
    /// what it took.
    @Suite struct QueueBoundTests {
        /// More devices than any of the queues takes, and than a slow machine needs: the one behind a queue that is
        /// too early for it is sent away by the one before, and the next device is the one that meets it.
        private static let devicesMax = 40

        @Test(arguments: [("audit_head", "commit-queue"), ("device_keys", "question-queue")])
        func `enrollments beyond a full queue are told to come again, and those in it finish`(
            held: String,
            limit: String
        ) async throws {
            let server = try await BoundedServers.shared.smallQueues()
            var devices: [SystemDevice] = []
            let answers = try await withThrowingTaskGroup(of: SystemDevice.Answer.self) { group in
                try await server.holding(held) {
                    let before = try await server.reached(limit)
                    while try await server.reached(limit) == before {
                        try #require(devices.count < Self.devicesMax, "\(limit) was never reached")
                        let device = try await SystemDevice(server.bed.document)
                        devices.append(device)
                        group.addTask { try await device.enroll(at: server.server.url) }
                    }
                    let first = try await group.next()
                    #expect(first?.status == 503)
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.contains { $0.status == 200 }, "\(answers.map(\.status))")
            let refused = answers.filter { $0.status != 200 }
            #expect(refused.allSatisfy { $0.status == 503 }, "\(answers.map(\.status))")
            #expect(refused.allSatisfy { $0.headers.contains { $0.hasPrefix("retry-after: ") } })
            // Whoever was sent away is welcome afterwards.
            for device in devices { try await device.enrolled(at: server.server.url) }
        }

        @Test func `a month of attempts that is older than attempts are kept is dropped, and that is counted`()
            async throws
        {
            let bed = try await FaultBed()
            // Old enough for the server under test, and not for the others on this database.
            let name = try await bed.record.query(
                """
                do $$ declare starts timestamptz := date_trunc('month', now() at time zone 'UTC' - interval '5 months')
                    at time zone 'UTC';
                begin
                    execute format('create table %I partition of attempts for values from (%L) to (%L)',
                        'attempts_' || to_char(starts at time zone 'UTC', 'YYYY_MM'), starts, starts + interval '1 month');
                end $$;
                select 'attempts_' || to_char(now() at time zone 'UTC' - interval '5 months', 'YYYY_MM')
                """
            )
            let server = try await BoundedServer(["limits.attemptsKeptMonths=4"])
            try await Eventually.holds("the month to be counted", seconds: 30) {
                try await server.reached("attempts-kept") == 1
            }
            #expect(try await bed.record.query("select to_regclass('\(name)') is null") == "t")
        }

        @Test func `callers beyond those that may wait for a database connection are refused`() async throws {
            let server = try await BoundedServers.shared.smallQueues()
            let asking = try await server.holding("outbox") {
                try await server.reaching("database-pool") {
                    try await BackgroundProgram([
                        "bash", "-c",
                        """
                        for try in $(seq 24); do
                            curl -sS -o /dev/null -w '%{http_code}\\n' --max-time 30 "$1" &
                        done
                        wait
                        """,
                        "bash", server.server.publicURL + "/readyz",
                    ])
                }
            }
            #expect(try await asking.end(withinSeconds: 60) == 0)
            let statuses = asking.log.split(separator: "\n")
            #expect(statuses.count == 24 && statuses.contains("503"), "\(statuses)")
            try await Eventually.holds("readiness, once the table is free") {
                let url = server.server.publicURL + "/readyz"
                return try await Shell.run("curl -sS -o /dev/null -w '%{http_code}' \"$1\"", url) == "200"
            }
        }
    }
}
