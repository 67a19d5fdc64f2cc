import Crypto
package import Foundation
package import Logging
import OpenSSL
package import PKI
import SwiftASN1

/// Keeps the files of a broker or gateway as the fleet has them: fetches, verifies, writes, has them read, and tells.
///
/// What is refused changes nothing: the files in force stay until something better has been verified.
package actor FleetAgent {
    /// What an agent is for.
    package struct Settings: Sendable {
        package var fleet: FleetName
        /// What the chains of trust stores' signers end in, DER.
        package var anchors: [[UInt8]]
        /// Files of CRLs, PEM or DER, of CAs whose lists the public front has not: an offline root's.
        package var listFiles: [String]
        /// True if the terminator can end sessions.
        package var endsSessions: Bool

        package init(fleet: FleetName, anchors: [[UInt8]], listFiles: [String] = [], endsSessions: Bool = false) {
            self.fleet = fleet
            self.anchors = anchors
            self.listFiles = listFiles
            self.endsSessions = endsSessions
        }
    }

    /// What one look came to.
    package struct Outcome: Hashable, Sendable {
        /// True if files changed.
        package var changed = false
        /// True if revoked devices wait for the list that refuses them.
        package var isAwaitingList = false
        /// True if all is as the fleet has it, as far as is known.
        package var isComplete = false
    }

    /// The largest file of `listFiles`, in octets.
    private static let listFileOctetsMax = 16 << 20

    let settings: Settings
    let folder: AgentFolder
    let capath: AgentFolder
    let kept: AgentFolder
    private let front: any PublicFront
    private let terminator: (any Terminator)?
    private let audience: (any AgentAudience)?
    let now: @Sendable () -> Date
    let logger: Logger

    var state: AgentState
    /// By SHA-256 of the CA's certificate.
    var lists: [String: VerifiedList] = [:]
    private var tags: [String: String] = [:]
    private var offered: [UInt8]?
    private var sessions = RevokedSessions()
    var faults = FaultLedger()
    private var listsChanged = false
    /// False if something was verified that the files do not hold.
    private var isWritten = false
    /// SHA-256 of what the terminator is to read, as the files hold it.
    var written: String?
    private(set) var reloads = 0
    private var inForceSince: Date?
    private var told: AgentStatus?

    /// Takes up what the folder keeps.
    /// - Parameters:
    ///   - terminator: Nil to keep files alone.
    ///   - audience: Nil if there is no broker.
    package init(
        _ settings: Settings,
        folder path: String,
        front: any PublicFront,
        terminator: (any Terminator)?,
        audience: (any AgentAudience)?,
        now: @escaping @Sendable () -> Date,
        logger: Logger
    ) throws {
        self.settings = settings
        self.front = front
        self.terminator = terminator
        self.audience = audience
        self.now = now
        self.logger = logger
        folder = try AgentFolder(path)
        capath = try folder.folder("capath")
        kept = try folder.folder("state")
        state = try AgentState(in: kept)
        sessions = state.sessions ?? RevokedSessions()
        for authority in state.trustStore?.authorities ?? [] {
            guard let der = kept.read(authority.sha256 + ".crl"),
                let list = try? RevocationList(der: der, issuer: authority.der)
            else { continue }
            lists[authority.sha256] = VerifiedList(der: der, list)
        }
    }

    /// Takes a trust store that came by the broker; the next look verifies it.
    package func hear(trustStore message: [UInt8]) { offered = message }

    /// Takes a message of a revocation that came by the broker.
    /// - Returns: True if it is one of this fleet.
    package func hear(revocation payload: [UInt8]) -> Bool {
        guard let news = RevocationNews(payload, fleet: settings.fleet) else { return false }
        if terminator != nil { sessions.hear(news, now: now()) }
        return true
    }

    /// The broker may have lost what it was told before; the next look tells it again.
    package func connected() { told = nil }

    /// Looks once at everything, and brings files and terminator to what was found.
    package func look() async -> Outcome {
        var outcome = Outcome()
        keepSessions()
        await lookForTrustStore()
        if let store = state.trustStore { await lookForLists(of: store) }
        lookForEnds()
        if !isWritten || !filesAreThere {
            do {
                outcome.changed = try write()
                isWritten = true
                faults.settle("files")
            } catch {
                note("files", "\(error)")
            }
        }
        if isWritten {
            await load()
            await endSessions()
            await acknowledge()
        }
        await tell()
        keepSessions()
        outcome.isAwaitingList = sessions.awaitsList(now: now())
        outcome.isComplete = state.trustStore != nil && !lists.isEmpty && faults.standing.isEmpty
        return outcome
    }

    // MARK: Steps

    /// The broker tells of each revocation once: whose session is to be ended must outlive this process.
    private func keepSessions() {
        guard settings.endsSessions, state.sessions != sessions else { return }
        do {
            state.sessions = sessions
            try state.save(in: kept)
            faults.settle("sessions kept")
        } catch {
            state.sessions = nil
            note("sessions kept", "\(error)")
        }
    }

    private func lookForTrustStore() async {
        let about = "truststore"
        if let message = offered {
            offered = nil
            take(trustStore: message, about: about)
        }
        do {
            switch try await front.trustStore(of: settings.fleet, unless: tags[about]) {
            case .unchanged: faults.settle("public front")
            case .missing: note(about, "the public front has no trust store of the fleet \(settings.fleet)")
            case .document(let message, let tag):
                faults.settle("public front")
                if take(trustStore: message, about: about) { tags[about] = tag }
            }
        } catch {
            note("public front", "\(error)")
        }
    }

    /// - Returns: True if it was not refused.
    @discardableResult
    private func take(trustStore message: [UInt8], about: String) -> Bool {
        let check = TrustStoreCheck(anchors: settings.anchors, fleet: settings.fleet, inForce: state.trustStore)
        do {
            if let store = try check.accept(message, now: now()) {
                state.trustStore = store
                isWritten = false
                let known = Set(store.authorities.map(\.sha256))
                lists = lists.filter { known.contains($0.key) }
                logger.notice("trust store verified", metadata: ["version": "\(store.content.version)"])
            }
            faults.settle(about)
            return true
        } catch {
            note(about, "\(error)")
            return false
        }
    }

    private func lookForLists(of store: VerifiedTrustStore) async {
        let files = listsInFiles()
        for (path, der) in files
        where !store.authorities.contains(where: { RevocationList.isSigned(der, by: $0.der) }) {
            note(path, "no CA of the trust store signed the CRL in it")
        }
        for authority in store.authorities {
            do {
                switch try await front.revocationList(of: authority.sha256, unless: tags[authority.sha256]) {
                case .unchanged, .missing: faults.settle(authority.subject)
                case .document(let der, let tag):
                    if take(list: der, of: authority, about: authority.subject) { tags[authority.sha256] = tag }
                }
            } catch {
                note(authority.subject, "\(error)")
            }
            for (path, der) in files where RevocationList.isSigned(der, by: authority.der) {
                take(list: der, of: authority, about: path)
            }
        }
    }

    /// - Returns: True if it was not refused.
    @discardableResult
    private func take(list der: [UInt8], of authority: VerifiedTrustStore.Authority, about: String) -> Bool {
        let check = RevocationListCheck(
            issuer: authority.der,
            numberMin: state.numbers[authority.sha256],
            inForce: lists[authority.sha256]
        )
        do throws(ListRefusal) {
            if let list = try check.accept(der, now: now()) {
                lists[authority.sha256] = list
                listsChanged = true
                isWritten = false
                logger.notice(
                    "CRL verified",
                    metadata: [
                        "authority": "\(authority.subject)", "number": "\(list.number)",
                        "entries": "\(list.entryCount)",
                    ]
                )
            }
            faults.settle(about)
            return true
        } catch {
            note(about, "\(error)")
            return false
        }
    }

    /// What is in force stays in force also after its end: it still says who is revoked.
    private func lookForEnds() {
        let about = "end"
        let time = now()
        let ended = lists.values.filter { $0.nextUpdate <= time }.map(\.nextUpdate).min()
        if let ended {
            note(
                about,
                "a CRL in force ended at \(ended.formatted(.iso8601)): everybody is refused until there is another"
            )
        } else if let text = state.trustStore?.content.expiresAt, let end = try? Date(text, strategy: .iso8601),
            end <= time
        {
            note(about, "the trust store in force ended at \(text); publish another: muster truststore publish")
        } else {
            faults.settle(about)
        }
    }

    /// The lists of `listFiles`, DER, by their files.
    private func listsInFiles() -> [(path: String, der: [UInt8])] {
        settings.listFiles.flatMap { path -> [(path: String, der: [UInt8])] in
            guard let data = FileManager.default.contents(atPath: path), data.count <= Self.listFileOctetsMax else {
                note(path, "the file cannot be read")
                return []
            }
            guard data.starts(with: Array("-----".utf8)) else { return [(path, [UInt8](data))] }
            let documents = try? PEMDocument.parseMultiple(pemString: String(decoding: data, as: UTF8.self))
            let lists = (documents ?? []).filter { $0.discriminator == "X509 CRL" }
            if lists.isEmpty { note(path, "the file has no CRL in it") }
            return lists.map { (path, [UInt8]($0.derBytes)) }
        }
    }

    /// Has the terminator read its files if it has not read these.
    private func load() async {
        guard let terminator, let written, state.loaded != written else { return }
        do {
            try await terminator.reload()
            reloads += 1
            inForceSince = now()
            logger.notice("reloaded", metadata: ["count": "\(reloads)"])
            state.loaded = written
            try state.save(in: kept)
            faults.settle("reload")
        } catch {
            note("reload", "\(error)")
        }
    }

    /// Only with all lists in force: a session that ends earlier is back at once.
    private func endSessions() async {
        guard let terminator, let written, state.loaded == written else { return }
        let clients = sessions.take(lists: Array(lists.values), listsChanged: listsChanged, now: now())
        listsChanged = false
        guard !clients.isEmpty else { return }
        do {
            try await terminator.endSessions(of: clients)
            logger.notice("sessions ended", metadata: ["count": "\(clients.count)", "first": "\(clients[0])"])
            faults.settle("sessions")
        } catch {
            sessions.putBack(clients)
            listsChanged = true
            note("sessions", "\(error)")
        }
    }

    private func acknowledge() async {
        guard let audience, let store = state.trustStore, let written, state.loaded == written,
            state.acknowledged < store.content.version
        else { return }
        do {
            try await audience.acknowledge(trustStore: store.content.version, sha256: store.sha256)
            state.acknowledged = store.content.version
            try state.save(in: kept)
            faults.settle("acknowledgement")
        } catch {
            note("acknowledgement", "\(error)")
        }
    }

    /// Writes the status, and tells it where it changed.
    private func tell() async {
        let status = status
        do {
            try folder.replace("status.json", with: status.encoded())
            let inForce = status.lists.compactMap { lists[$0.authoritySHA256] }
            try folder.replace("status.prom", with: status.metrics(lists: inForce))
        } catch {
            note("status", "\(error)")
        }
        guard let audience, told != status else { return }
        do {
            try await audience.tell(status)
            told = status
        } catch {
            logger.debug("status not told", metadata: ["reason": "\(error)"])
        }
    }

    /// What is in force, and what is wrong.
    package var status: AgentStatus {
        let time = now()
        return AgentStatus(
            type: AgentStatus.typeName,
            fleet: settings.fleet.text,
            inForceSince: inForceSince?.formatted(.iso8601),
            trustStore: state.trustStore.map { store in
                AgentStatus.TrustStore(
                    version: store.content.version,
                    sha256: store.sha256,
                    expiresAt: store.content.expiresAt
                )
            },
            lists: (state.trustStore?.authorities ?? []).compactMap { authority in
                lists[authority.sha256].map { list in
                    AgentStatus.List(
                        authority: authority.subject,
                        authoritySHA256: authority.sha256,
                        number: list.number,
                        entries: list.entryCount,
                        thisUpdate: list.thisUpdate.formatted(.iso8601),
                        nextUpdate: list.nextUpdate.formatted(.iso8601),
                        hasExpired: list.nextUpdate <= time
                    )
                }
            },
            reloads: reloads,
            faults: faults.standing,
            faultsTotal: faults.total,
            sessionsToEnd: sessions.unsettled,
            sessionsThrough: settings.endsSessions ? sessions.endedThrough ?? 0 : nil
        )
    }

    private func note(_ about: String, _ reason: String) {
        guard faults.note(about, reason, at: now()) else { return }
        logger.warning("refused, or did not work", metadata: ["about": "\(about)", "reason": "\(reason)"])
    }
}
