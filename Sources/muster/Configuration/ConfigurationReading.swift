/// Turns settings into values, key by key, and gathers what is wrong on the way.
struct ConfigurationReading {
    /// What was set.
    let settings: ConfigurationSettings
    /// The folder that relative paths start from.
    let folder: String
    /// What is wrong so far, in no order.
    private(set) var problems: [ConfigurationProblem]
    /// Where each key was set, by full name; keys that were left out are not in it.
    private(set) var origins: [String: ConfigurationOrigin] = [:]

    /// Begins with the problems that the settings have by themselves.
    init(_ settings: ConfigurationSettings, folder: String) {
        self.settings = settings
        self.folder = folder
        self.problems = settings.problems
    }

    /// The value of a key, or its default. Nil if it is optional and left out, or if a problem was reported.
    ///
    /// - Parameter index: The index in the list, for keys with a `*` in their name.
    mutating func value<Value>(_ key: ConfigurationKey<Value>, at index: Int? = nil) -> Value? {
        let name = ConfigurationName.name(key.description.name, index: index)
        guard let (text, origin) = settings.setting(name) else { return missing(key, name) }
        origins[name] = origin
        guard !text.isEmpty else {
            report(origin, name, "is empty; give \(key.form.expectation), or do not set it")
            return nil
        }
        switch key.form.parse(text, folder) {
        case .success(let value):
            return value
        case .failure(let fault):
            report(origin, name, fault.text)
            return nil
        }
    }

    /// Whether any key of the section is set; the name of the first that is.
    func firstKey(in section: String) -> String? {
        ConfigurationKeys.all.map(\.name).first { name in
            name.hasPrefix(section + ".") && settings.setting(name) != nil
        }
    }

    /// Reports that two keys contradict each other, at the later of them; at most one of them has its default. `how`
    /// says what to do.
    mutating func contradiction(_ name: String, _ other: String, _ how: String) {
        let otherIsLater =
            switch (origins[name], origins[other]) {
            case (nil, _): true
            case (_, nil): false
            case (let place?, let otherPlace?): place < otherPlace
            }
        let (first, second) = otherIsLater ? (name, other) : (other, name)
        let place = origins[first]?.phrase ?? "by default"
        report(
            origins[second] ?? settings.origin(ofMissing: second),
            second,
            "contradicts \(first) (set \(place)): \(how)"
        )
    }

    /// Reports that something has to be there and is not; unless it is there, but not as a value, for then that has
    /// been said.
    mutating func reportMissing(_ name: String, _ text: String) {
        guard !settings.problems.contains(where: { $0.key == name }) else { return }
        report(settings.origin(ofMissing: name), name, text)
    }

    private mutating func missing<Value>(_ key: ConfigurationKey<Value>, _ name: String) -> Value? {
        switch key.description.presence {
        case .optional:
            return nil
        case .standard(let text):
            // A default that does not parse is a fault of the list of keys; a test reads them all.
            switch key.form.parse(text, folder) {
            case .success(let value): return value
            case .failure(let fault):
                report(settings.origin(ofMissing: name), name, "has a default that is wrong: it \(fault.text)")
                return nil
            }
        case .required(let example):
            let section = String(name.prefix { $0 != "." })
            var reason = ""
            if ConfigurationKeys.optionalSections.contains(section), let present = firstKey(in: section) {
                reason = ", though \(present) is set: complete the section or leave it out"
            }
            let variable = ConfigurationName.environmentVariable(for: name)
            reportMissing(
                name,
                "is missing\(reason); set it (or \(variable)), for example to \(example)"
            )
            return nil
        }
    }

    private mutating func report(_ origin: ConfigurationOrigin, _ name: String, _ text: String) {
        problems.append(ConfigurationProblem(origin: origin, key: name, text: text))
    }
}
