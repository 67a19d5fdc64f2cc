package import Foundation
import PKI

/// What a revocation comes to, in turn; each is timed from the operator's answer.
package enum RevocationStage: String, CaseIterable, Sendable {
    /// In the record: from here on Muster itself refuses the device.
    case committed
    /// No OCSP answer of the server lacks it.
    case ocsp
    /// The CRL that a certificate names has it.
    case crl
    /// The list of all of an issuer's certificates has it.
    case crlComplete = "crl-complete"
    /// The broker has the message to the fleet.
    case published
    /// A list that has it is in force beside a broker or gateway.
    case agents
    /// A broker's agent has ended the sessions that the device had.
    case sessions
}

/// How far a device's revocation has come: which of those who are to refuse the device know of it.
package struct RevocationProgress: Hashable, Sendable {
    /// A stage at one place.
    package struct Step: Hashable, Sendable {
        package let stage: RevocationStage
        /// Which CRL, or whose agent; nil where there is only one.
        package let place: String?
        package let isReached: Bool
        /// Nil if it is not reached, or if it is no longer known when.
        package let at: Date?
    }

    /// Whether a stage is reached, and when it was, if that is known.
    package struct Reached: Hashable, Sendable {
        package let isReached: Bool
        package let at: Date?

        package init(isReached: Bool, at: Date?) {
            self.isReached = isReached
            self.at = at
        }
    }

    /// A CRL that is to have it: of a shard that one of its certificates names, or of all.
    package struct List: Hashable, Sendable {
        package let issuer: String
        /// SHA-256 of the issuer's certificate.
        package let authoritySHA256: [UInt8]
        package let shard: Int
        package let isReached: Bool
        /// The first list that has it, and when it was signed; nil where that is no longer known.
        package let number: Int64?
        package let at: Date?

        package init(
            issuer: String,
            authoritySHA256: [UInt8],
            shard: Int,
            isReached: Bool,
            number: Int64?,
            at: Date?
        ) {
            self.issuer = issuer
            self.authoritySHA256 = authoritySHA256
            self.shard = shard
            self.isReached = isReached
            self.number = number
            self.at = at
        }

        package var isComplete: Bool { shard == CRLShards.complete }
    }

    package let reason: RevocationReason
    /// Since when; stays the first time when the reason changes.
    package let at: Date
    /// When it became what it is: its last change.
    package let changedAt: Date
    /// Of the audit entry of its last change; nil if that is older than stages are.
    package let sequence: Int64?
    package let ocsp: Reached
    package let lists: [List]
    /// Whether the broker has taken the message to the fleet; nil if there is no broker.
    package let published: Reached?
    /// Of the fleet, by name.
    package let agents: [AgentEntry]

    package init(
        reason: RevocationReason,
        at: Date,
        changedAt: Date,
        sequence: Int64?,
        ocsp: Reached,
        lists: [List],
        published: Reached?,
        agents: [AgentEntry]
    ) {
        self.reason = reason
        self.at = at
        self.changedAt = changedAt
        self.sequence = sequence
        self.ocsp = ocsp
        self.lists = lists
        self.published = published
        self.agents = agents
    }

    /// Every stage at every place, in the order in which they are usually reached.
    package var steps: [Step] {
        var steps = [
            Step(stage: .committed, place: nil, isReached: true, at: changedAt),
            Step(stage: .ocsp, place: nil, isReached: ocsp.isReached, at: ocsp.at),
        ]
        for list in lists where !list.isComplete {
            steps.append(
                Step(stage: .crl, place: "\(list.issuer)/\(list.shard)", isReached: list.isReached, at: list.at)
            )
        }
        for list in lists where list.isComplete {
            steps.append(Step(stage: .crlComplete, place: list.issuer, isReached: list.isReached, at: list.at))
        }
        if let published {
            steps.append(Step(stage: .published, place: nil, isReached: published.isReached, at: published.at))
        }
        for agent in agents {
            steps.append(inForce(at: agent))
            if let ended = sessionsEnded(by: agent) { steps.append(ended) }
        }
        return steps
    }

    /// True if nothing that is to refuse the device lacks it.
    package var isComplete: Bool { steps.allSatisfy(\.isReached) }

    /// Whether all lists that have it are in force at the agent, or later ones.
    private func inForce(at agent: AgentEntry) -> Step {
        var at: Date?
        for list in lists where list.isComplete {
            guard let number = list.number,
                let present = agent.lists.first(where: { $0.authoritySHA256 == list.authoritySHA256 }),
                present.number >= number
            else { return Step(stage: .agents, place: agent.device, isReached: false, at: nil) }
            // A later list says nothing of when this one came into force.
            if present.number == number { at = max(at ?? present.inForceAt, present.inForceAt) }
        }
        return Step(stage: .agents, place: agent.device, isReached: true, at: at)
    }

    /// Nil if the agent ends no sessions.
    private func sessionsEnded(by agent: AgentEntry) -> Step? {
        guard let through = agent.sessionsThrough else { return nil }
        let isReached = sequence.map { through >= $0 } ?? false
        return Step(
            stage: .sessions,
            place: agent.device,
            isReached: isReached,
            at: through == sequence ? agent.sessionsAt : nil
        )
    }
}
