package import Enrollment

/// The ports that the operator front works on.
package struct OperatorRecord: Sendable {
    package let fleets: any FleetSource
    package let administration: FleetAdministration
    package let devices: any DeviceRegister
    package let revocations: any RevocationRegister
    package let revocationRequests: any RevocationRequestRegister
    package let revocationPreviews: any RevocationPreviewReading
    package let registrations: any RegistrationRegister
    package let approvals: any ApprovalRegister
    package let bootstrap: any BootstrapRegister
    package let attempts: any AttemptLog
    package let operators: any OperatorRegister
    package let audit: any AuditReading
    package let trust: any TrustReading
    package let progress: any RevocationProgressReading
    package let agents: any AgentReading
    package let idempotency: any IdempotencyRecord
    package let authorization: DeviceAuthorization

    package init(
        fleets: any FleetSource,
        administration: FleetAdministration,
        devices: any DeviceRegister,
        revocations: any RevocationRegister,
        revocationRequests: any RevocationRequestRegister,
        revocationPreviews: any RevocationPreviewReading,
        registrations: any RegistrationRegister,
        approvals: any ApprovalRegister,
        bootstrap: any BootstrapRegister,
        attempts: any AttemptLog,
        operators: any OperatorRegister,
        audit: any AuditReading,
        trust: any TrustReading,
        progress: any RevocationProgressReading,
        agents: any AgentReading,
        idempotency: any IdempotencyRecord,
        authorization: DeviceAuthorization
    ) {
        self.fleets = fleets
        self.administration = administration
        self.devices = devices
        self.revocations = revocations
        self.revocationRequests = revocationRequests
        self.revocationPreviews = revocationPreviews
        self.registrations = registrations
        self.approvals = approvals
        self.bootstrap = bootstrap
        self.attempts = attempts
        self.operators = operators
        self.audit = audit
        self.trust = trust
        self.progress = progress
        self.agents = agents
        self.idempotency = idempotency
        self.authorization = authorization
    }
}
