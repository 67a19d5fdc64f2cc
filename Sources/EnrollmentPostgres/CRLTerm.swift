import Enrollment
import Foundation
import Logging
import PKI
import Postgres

/// One session's time as the signer of a part of the CRLs: what it leads, and what it knows of the lists, which nobody else
/// writes as long as it leads.
struct CRLTerm {
    /// Shards signed in one transaction.
    private static let shardsMax = 32
    /// The list of all of an issuer's certificates grows with the number revoked. With so many entries, which take a third
    /// of a second, it may be signed half of the time, so that brokers are told within a second while many are revoked;
    /// with more of them no more often than that it takes one part of `completeShare` of the time.
    private static let completeQuickEntries = 30_000
    private static let completeShare = 20
    /// The most URLs of an issuer that lists name: those first used. More of them take as many moves of the public front.
    private static let urlsMax = 32
    /// How long a server whose key failed leaves the issuer to others.
    private static let pauseAfterFailure: Duration = .seconds(5)

    let part: CRLPart
    let connection: PostgresConnection
    let issuers: [Issuer]
    let configuration: CRLPublisher.Configuration
    let onSigned: @Sendable (CRLEvent) -> Void
    let clock: @Sendable () -> Date
    let logger: Logger

    private var leading: [IssuerID: Issuer] = [:]
    /// When each issuer's lists end, by shard.
    private var known: [IssuerID: [Int: Date]] = [:]
    /// The templates of the URLs that all known shards of an issuer name.
    private var placed: [IssuerID: [String]] = [:]
    private var registered: Set<String> = []
    private var warned: Set<IssuerID> = []
    private var standsBack: [String: ContinuousClock.Instant] = [:]
    private var completeNotBefore: [IssuerID: ContinuousClock.Instant] = [:]
    private var postponed: ContinuousClock.Instant?

    init(
        part: CRLPart,
        connection: PostgresConnection,
        issuers: [Issuer],
        configuration: CRLPublisher.Configuration,
        onSigned: @escaping @Sendable (CRLEvent) -> Void,
        clock: @escaping @Sendable () -> Date,
        logger: Logger
    ) {
        self.part = part
        self.connection = connection
        self.issuers = issuers
        self.configuration = configuration
        self.onSigned = onSigned
        self.clock = clock
        self.logger = logger
    }

    /// Signs all that is due now.
    /// - Parameter urls: The URLs that certificates name now, by issuer; `{shard}` stands for the shard.
    /// - Returns: When the first of what had to be put off is due; nil if nothing had.
    mutating func round(urls: [(IssuerID, String)]) async throws -> ContinuousClock.Instant? {
        let now = clock()
        postponed = nil
        if part == .shards { try await register(urls, at: now) }
        try await lead()
        guard !leading.isEmpty else { return nil }
        let ids = leading.keys.map(\.value)
        var queries: [PostgresQuery] = [
            changesQuery(ids)
        ]
        // No URL leads to the list of all.
        if part == .shards {
            queries.append(
                "select issuer_id, url from crl_urls where issuer_id = any (\(ids)) order by first_used_at, url"
            )
        }
        let results = try await connection.pipeline(queries)
        let changed = try Self.changes(results[0])
        var templates: [IssuerID: [String]] = [:]
        for row in results.dropFirst().joined() {
            templates[IssuerID(try row.decode(at: 0)), default: []].append(try row.decode(at: 1))
        }
        for (id, issuer) in leading.sorted(by: { $0.key.value < $1.key.value }) {
            do {
                switch part {
                case .shards:
                    try await signShards(
                        issuer,
                        id,
                        changed: changed[id] ?? [],
                        templates: Array((templates[id] ?? []).prefix(Self.urlsMax)),
                        at: now
                    )
                case .complete: try await signComplete(issuer, id, isChanged: changed[id] != nil, at: now)
                }
            } catch let error as SigningError {
                // The other issuers' keys may be well, and another server's way to this one.
                try await resign(id, issuer, error)
            }
        }
        for (id, all) in templates where all.count > Self.urlsMax && !warned.contains(id) {
            warned.insert(id)
            logger.error(
                "CRLs do not name all URLs that certificates name; relying parties will refuse those of the last ones",
                metadata: ["issuer": "\(leading[id]?.name ?? "")", "urls": "\(all.count)", "max": "\(Self.urlsMax)"]
            )
        }
        return postponed
    }

    private mutating func register(_ urls: [(IssuerID, String)], at now: Date) async throws {
        let fresh = urls.filter { !registered.contains("\($0.0.value) \($0.1)") }
        guard !fresh.isEmpty else { return }
        try await connection.query(
            """
            insert into crl_urls (issuer_id, url, first_used_at)
            select distinct *, \(now)::timestamptz from unnest(\(fresh.map(\.0.value)), \(fresh.map(\.1)))
            on conflict do nothing
            """
        )
        registered.formUnion(fresh.map { "\($0.0.value) \($0.1)" })
    }

    /// Takes the locks that are free, of issuers that the record knows.
    private mutating func lead() async throws {
        let wanted = issuers.filter { issuer in
            !leading.values.contains { $0.der == issuer.der } && (standsBack[issuer.name] ?? .now) <= .now
        }
        guard !wanted.isEmpty else { return }
        let rows = try await connection.query(
            """
            select id, certificate, pg_try_advisory_lock(\(part.lockClass), id::integer)
            from issuers where certificate = any (\(wanted.map(\.der)))
            """
        )
        for row in rows {
            let certificate = try row.decode(at: 1, as: [UInt8].self)
            guard try row.decode(at: 2, as: Bool.self), let issuer = wanted.first(where: { $0.der == certificate })
            else { continue }
            let id = IssuerID(try row.decode(at: 0))
            try await learn(id)
            leading[id] = issuer
            logger.notice(
                "this server signs the issuer's CRLs now",
                metadata: ["issuer": "\(issuer.name)", "lists": "\(part.name)"]
            )
        }
    }

    /// Leaves the issuer to other servers for a while.
    private mutating func resign(_ id: IssuerID, _ issuer: Issuer, _ error: SigningError) async throws {
        logger.error("CRLs are not signed", metadata: ["issuer": "\(issuer.name)", "error": "\(error)"])
        try await connection.query("select pg_advisory_unlock(\(part.lockClass), \(Int32(clamping: id.value)))")
        leading[id] = nil
        placed[id] = nil
        known[id] = nil
        standsBack[issuer.name] = .now + Self.pauseAfterFailure
    }

    private mutating func learn(_ id: IssuerID) async throws {
        let rows = try await connection.query(
            """
            select shard, next_update from crls
            where issuer_id = \(id.value) and \(unescaped: part.condition)
            """
        )
        for row in rows {
            known[id, default: [:]][Int(try row.decode(at: 0, as: Int32.self))] = try row.decode(at: 1)
        }
    }

    private mutating func signShards(
        _ issuer: Issuer,
        _ id: IssuerID,
        changed: Set<Int>,
        templates: [String],
        at now: Date
    ) async throws {
        let shards = known[id] ?? [:]
        // A shard that no URL leads to is no shard: without a place it would pass for the list of all.
        let wanted = templates.isEmpty ? [] : changed.union(1...max(1, issuer.crlShards))
        let all = Set(shards.keys).union(wanted)
        // All together, so that none ends alone (R-05).
        let isScheduled = shards.values.contains { isTime($0, at: now) }
        // A thousand lists name their places, and need not be looked at each second.
        let moved = placed[id] == templates ? [] : try await namingOthers(templates, issuer, id)
        let bases = all.filter { isScheduled || shards[$0] == nil || moved.contains($0) }
        var changed = changed.intersection(all)
        var waiting = bases.subtracting(changed).sorted()[...]
        while !changed.isEmpty || !waiting.isEmpty {
            let due = Array(waiting.prefix(Self.shardsMax))
            waiting = waiting.dropFirst(due.count)
            // What was revoked goes first, and what is revoked meanwhile next: a thousand lists that are due take their time.
            for batch in Self.batches(changed.sorted()) + Self.batches(due) {
                _ = try await sign(batch, issuer, id, bases: bases, templates: templates, at: clock())
            }
            changed = []
            if !waiting.isEmpty {
                let rows = try await connection.query(changesQuery([id.value]))
                changed = try Self.changes(rows)[id, default: []].intersection(all)
                waiting.removeAll { changed.contains($0) }
            }
        }
        placed[id] = templates
    }

    /// The shards whose lists name other places than those of `templates`.
    private func namingOthers(_ templates: [String], _ issuer: Issuer, _ id: IssuerID) async throws -> Set<Int> {
        let rows = try await connection.query(
            "select shard, places from crls where issuer_id = \(id.value) and \(unescaped: part.condition)"
        )
        return try rows.reduce(into: []) { moved, row in
            let shard = Int(try row.decode(at: 0, as: Int32.self))
            let named = try row.decode(at: 1, as: [String].self)
            if named != places(templates, issuer, shard) { moved.insert(shard) }
        }
    }

    private static func batches(_ shards: [Int]) -> [[Int]] {
        stride(from: 0, to: shards.count, by: shardsMax).map { Array(shards[$0..<min($0 + shardsMax, shards.count)]) }
    }

    /// The lists that lack a change now.
    private func changesQuery(_ issuers: [Int64]) -> PostgresQuery {
        """
        select distinct issuer_id, shard from crl_changes
        where issuer_id = any (\(issuers)) and \(unescaped: part.condition)
        """
    }

    private mutating func signComplete(
        _ issuer: Issuer,
        _ id: IssuerID,
        isChanged: Bool,
        at now: Date
    ) async throws {
        let number = CRLShards.complete
        let isBase = known[id]?[number].map { isTime($0, at: now) } ?? true
        guard isBase || isChanged else { return }
        if let notBefore = completeNotBefore[id], notBefore > .now {
            postponed = min(postponed ?? notBefore, notBefore)
            return
        }
        let began = ContinuousClock.now
        let entries = try await sign([number], issuer, id, bases: isBase ? [number] : [], templates: [], at: now)
        let took = ContinuousClock.now - began
        completeNotBefore[id] = .now + (entries > Self.completeQuickEntries ? took * Self.completeShare : took)
    }

    /// True if half of its time has gone.
    private func isTime(_ nextUpdate: Date, at now: Date) -> Bool {
        nextUpdate.timeIntervalSince(now) <= configuration.lifetime.inSeconds / 2
    }

    /// None for the list of all, which is for whoever asks for it, wherever it was fetched.
    private func places(_ templates: [String], _ issuer: Issuer, _ shard: Int) -> [String] {
        templates.map { CRLShards.url($0, issuer: issuer.name, shard: shard) }
    }

    /// One transaction: the changes that the lists lack go, and the lists that have them come.
    /// - Returns: How many entries the lists have.
    private mutating func sign(
        _ shards: [Int],
        _ issuer: Issuer,
        _ id: IssuerID,
        bases: Set<Int>,
        templates: [String],
        at now: Date
    ) async throws -> Int {
        let numbers = shards.map { Int32(clamping: $0) }
        let isComplete = part == .complete
        let (signed, count, began) = try await connection.withTransaction { connection in
            // In this order: what was committed with a change that is taken here is read after it.
            let results = try await connection.pipeline([
                "delete from crl_changes where issuer_id = \(id.value) and shard = any (\(numbers)) returning at, shard, seq",
                """
                select shard, number, this_update, next_update, places, base, base_number from crls
                where issuer_id = \(id.value) and shard = any (\(numbers)) for update
                """,
                isComplete
                    ? """
                    select \(Int32(CRLShards.complete)), serial, revoked_at, reason, not_after from revocations
                    where issuer_id = \(id.value) order by serial
                    """
                    : """
                    select crl_shard, serial, revoked_at, reason, not_after from revocations
                    where issuer_id = \(id.value) and crl_shard = any (\(numbers)) order by serial
                    """,
            ])
            let previous = try Self.lists(results[1])
            let entries = try Self.entries(results[2], previous: previous)
            var signed: [Int: SignedCRL] = [:]
            for shard in shards {
                let places = places(templates, issuer, shard)
                signed[shard] = try issuer.sign(
                    CRLOrder(
                        previous: previous[shard],
                        entries: entries[shard] ?? [],
                        places: places,
                        freshest: freshest(places),
                        isBase: bases.contains(shard),
                        lifetime: configuration.lifetime
                    ),
                    at: now
                )
            }
            let taken = try Self.taken(results[0])
            try await connection.pipeline(
                signed.flatMap { shard, list in
                    [Self.put(list, shard: shard, issuer: id)]
                        + (taken[shard].map { [Self.note(list, through: $0, shard: shard, issuer: id, at: now)] } ?? [])
                } + [RecordChanges.notifyQuery(.crls)]
            )
            return (signed, results[2].count, try results[0].map { try $0.decode(at: 0, as: Date.self) })
        }
        for (shard, list) in signed { known[id, default: [:]][shard] = list.nextUpdate }
        let done = clock()
        onSigned(
            CRLEvent(
                issuerName: issuer.name,
                lists: signed.count,
                isComplete: isComplete,
                waited: began.map { done.timeIntervalSince($0) }
            )
        )
        return count
    }

    /// Where the delta is, of lists that the public front serves.
    private func freshest(_ places: [String]) -> [String] {
        guard let publicURL = configuration.publicURL else { return [] }
        return places.filter { $0.hasPrefix("\(publicURL)/crl/") && $0.hasSuffix(".crl") }
            .map { $0.dropLast(".crl".count) + ".delta.crl" }
    }
}
