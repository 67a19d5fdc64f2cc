import Prometheus

/// The metrics of the server: each is declared here, once, and nowhere else by name.
///
/// A label takes values of a closed list, or a fleet's name; never a device's, a serial number's or a path's, since each
/// value is a series that is kept until the process ends.
enum MusterMetrics {
    /// From half a millisecond, which a check in memory takes, to five seconds, when devices have given up.
    static let latencyBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
    /// Seconds; a large list of all, and the agents that wait for it, may take so long.
    static let revocationBuckets = latencyBuckets + [10, 30, 60]
    /// Enrollments that were committed together.
    static let groupSizeBuckets: [Double] = [1, 2, 4, 8, 16, 32, 64]

    /// Reason is the refusal's code; empty unless outcome is refused.
    static let enrollmentAttempts = MetricDescription.counter(
        "muster_enrollment_attempts_total",
        labels: ["fleet", "outcome", "reason"],
        help: "Enrollments and renewals by how they ended. If outcome refused rises, reason names the rule: read it "
            + "beside the fleet's attempts in the record, and ask whether a batch was not registered or someone tries "
            + "keys. If outcome unavailable rises, look at the database first."
    )
    /// Stage is a part of the enrollment: identity, request, decide, sign, commit; or total, which is the whole.
    static let enrollmentStage = MetricDescription.histogram(
        "muster_enrollment_stage_seconds",
        unit: .seconds,
        buckets: latencyBuckets,
        labels: ["stage"],
        help: "Time that each stage of an enrollment takes; stage total is what the device waits for. Slow decide or "
            + "commit: look at the database. Slow sign: at the key's token or the processor. Slow identity or "
            + "request: at the processor."
    )
    static let commits = MetricDescription.counter(
        "muster_commits_total",
        help: "Transactions that made enrollments durable; each holds a group of them. If it stands still while "
            + "muster_commit_queue rises, the database takes no writes: look for locks, a full disk or a failover."
    )
    static let commitGroupSize = MetricDescription.histogram(
        "muster_commit_group_size",
        buckets: groupSizeBuckets,
        help: "Enrollments in one commit. Near 1 the server is idle; at its upper end commits are the limit, and "
            + "muster_commit_seconds says how slow each one is."
    )
    static let commitTime = MetricDescription.histogram(
        "muster_commit_seconds",
        unit: .seconds,
        buckets: latencyBuckets,
        help: "Time of one commit in the database. If it rises, look at the database's disk, its synchronous replicas "
            + "and its locks."
    )
    static let commitQueue = MetricDescription.gauge(
        "muster_commit_queue",
        help: "Enrollments that wait for their commit. If it stays up, devices wait, and at the limit "
            + "limits.commitQueueMax they are sent away with 503: look at muster_commit_seconds."
    )
    static let outboxOldest = MetricDescription.gauge(
        "muster_outbox_oldest_seconds",
        unit: .seconds,
        help: "Age of the oldest event that is not yet published, 0 if there is none. If it rises, devices get no new "
            + "trust stores: look whether the MQTT broker runs, and whether it still accepts the server's certificate."
    )
    static let outboxPublished = MetricDescription.counter(
        "muster_outbox_published_total",
        help: "Events that the MQTT broker has acknowledged. If it stands still while muster_outbox_oldest_seconds "
            + "rises, look at the broker."
    )
    /// Within is a time in days, such as `7d`.
    static let certificatesExpiring = MetricDescription.gauge(
        "muster_certificates_expiring",
        labels: ["fleet", "within"],
        help: "Current device certificates that end within that time. If it rises, devices do not renew: look at "
            + "refused attempts of the fleet, then whether its devices are connected at all."
    )
    /// State is busy or idle.
    static let databaseConnections = MetricDescription.gauge(
        "muster_database_connections",
        labels: ["state"],
        help: "Open connections to the database. No idle one for long: see muster_database_waiting. None at all: the "
            + "database is away, or refuses the server's role."
    )
    static let databaseWaiting = MetricDescription.gauge(
        "muster_database_waiting",
        help: "Requests that wait for a database connection. Above 0 for long: queries are slow, or "
            + "database.poolSize is too small for the load."
    )
    /// Front is est or operator; result is completed, failed or timeout.
    static let tlsHandshakes = MetricDescription.counter(
        "muster_tls_handshakes_total",
        labels: ["front", "result"],
        help: "TLS handshakes by how they ended. If failed rises, clients do not trust the server's certificate or "
            + "show one that no anchor knows: look for an expired server certificate first. If timeout rises, look "
            + "at the network, or at who holds connections open."
    )
    /// Limit is a bound's name: one of the device front's, of the public front's, or of those on the way to the record.
    static let limits = MetricDescription.counter(
        "muster_limit_reached_total",
        labels: ["limit"],
        help:
            "How often a bound of the server was reached. connections, handshakes and requests: more devices come than "
            + "it serves, and wait or are told to come again; look at the processor and muster_commit_seconds. "
            + "connections-per-address, handshake-time, header, body, body-time, chain: look at the network, or at who "
            + "sends what no device does. The same with public- before it: of the public front. commit-queue, question-queue, database-pool: the database is too slow for "
            + "the load, or database.poolSize too small."
    )
    static let operatorRequests = MetricDescription.counter(
        "muster_operator_requests_total",
        labels: ["operation", "status"],
        help: "Requests to the operator API by operation and HTTP status. Status 401 or 403: somebody's role or token "
            + "is wrong, or somebody tries; the server's log names them. Status 5xx: look there too."
    )
    static let crlEnds = MetricDescription.gauge(
        "muster_crl_ends_seconds",
        unit: .seconds,
        labels: ["issuer"],
        help:
            "Time until the first of the issuer's CRLs ends. They are signed anew after half of their life; if it falls "
            + "below that, no server signs: look for one with the issuer's key, and at the database. At 0 brokers and "
            + "gateways refuse every device."
    )
    static let crlAge = MetricDescription.gauge(
        "muster_crl_age_seconds",
        unit: .seconds,
        labels: ["issuer"],
        help:
            "Time since the thisUpdate of the oldest of the issuer's CRLs. Over half of crl.lifetimeDays: nobody signs."
    )
    static let crlSize = MetricDescription.gauge(
        "muster_crl_size_bytes",
        unit: .bytes,
        labels: ["issuer"],
        help:
            "Size of the issuer's largest CRL, which is that of all its certificates. If fetching it becomes slow, let "
            + "relying parties fetch the shards that certificates name."
    )
    static let crlsSigned = MetricDescription.counter(
        "muster_crls_signed_total",
        labels: ["issuer"],
        help: "CRLs signed here. If it stands still on all servers while devices are revoked, look at their logs."
    )
    /// Stage is a `RevocationStage`.
    static let revocationStage = MetricDescription.histogram(
        "muster_revocation_stage_seconds",
        unit: .seconds,
        buckets: revocationBuckets,
        labels: ["stage"],
        help:
            "Time from an operator's revocation until a stage of it: ocsp, when no OCSP answer of this server lacks it; crl, "
            + "when the CRL that its certificate names has it; crl-complete, when the list of all has it, which takes "
            + "longer when that is large; published, when the MQTT broker has the message; agents, when it is in force "
            + "beside a broker or gateway; sessions, when a broker's agent has ended its sessions. If crl rises, look at "
            + "the database, and at the key's token; if published, at the broker; if agents or sessions, at the agents "
            + "that muster fleet agents tells."
    )
    static let agents = MetricDescription.gauge(
        "muster_agents",
        labels: ["fleet"],
        help:
            "Agents beside brokers and gateways that have reported what is in force there. Those that were revoked do "
            + "not count."
    )
    static let agentsBehind = MetricDescription.gauge(
        "muster_agents_behind",
        labels: ["fleet"],
        help:
            "Agents that have lacked a CRL or a trust store for more than a minute: who was revoked since is let in there. "
            + "muster fleet agents says which they are; look whether each runs and reaches the broker."
    )
    /// Status is one of `OCSPAnswer.Kind`.
    static let ocspAnswers = MetricDescription.counter(
        "muster_ocsp_answers_total",
        labels: ["status"],
        help:
            "OCSP answers by status. try-later: the database cannot be asked. internal-error: the responder has no "
            + "certificate that is good; look at the log and the issuer's key. unauthorized: somebody asks about "
            + "certificates of issuers whose keys this server has not."
    )
    static let ocspResponderEnds = MetricDescription.gauge(
        "muster_ocsp_responder_ends_seconds",
        unit: .seconds,
        labels: ["issuer"],
        help:
            "Time until the certificate of this server's OCSP responder ends. It is made anew after half of its life of "
            + "7 days; if it falls below that, look at the log and the issuer's key. At 0 there are no answers."
    )
    /// Outcome is delivered, failed or given-up.
    static let webhookDeliveries = MetricDescription.counter(
        "muster_webhook_deliveries_total",
        labels: ["webhook", "outcome"],
        help:
            "Deliveries to webhooks by outcome. failed: the receiver did not answer 2xx, and is tried again; muster webhook list "
            + "says what it answered. given-up: an event was not taken for 24 hours; muster webhook retry sends it once more."
    )
    static let webhookOldest = MetricDescription.gauge(
        "muster_webhook_oldest_seconds",
        unit: .seconds,
        labels: ["webhook"],
        help:
            "Age of the oldest event that waits for the webhook, 0 if there is none. If it rises, its receiver does not take "
            + "events: look at muster webhook list, and then at the receiver."
    )
    static let buildInfo = MetricDescription.gauge(
        "muster_build_info",
        labels: ["version"],
        help: "Always 1; its label is the running version. Two versions at once: a rollout is under way, or stuck."
    )

    /// The table that the server's metrics are kept by.
    static let all = [
        enrollmentAttempts, enrollmentStage, commits, commitGroupSize, commitTime, commitQueue, outboxOldest,
        outboxPublished, certificatesExpiring, databaseConnections, databaseWaiting, tlsHandshakes, limits,
        operatorRequests, crlEnds, crlAge, crlSize, crlsSigned, revocationStage, agents, agentsBehind,
        ocspAnswers, ocspResponderEnds, webhookDeliveries, webhookOldest,
        buildInfo,
    ]
}
