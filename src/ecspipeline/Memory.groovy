package ecspipeline

/** What a build remembers, in its environment variables, and says, in its log and its description. */
class Memory implements Serializable {

    private static final long serialVersionUID = 1L

    private static final String LABELS = 'ECS_PIPELINE_LABELS'

    Object steps

    Memory(Object steps) {
        this.steps = steps
    }

    /** What this build, or the one it was restarted from, knows of the service's release: see State. */
    Map state(Map parameters) {
        return Result.parse(Text.of(steps.env."${State.variable(parameters)}"))
    }

    /** The same; no more than the names when another build wrote it. */
    Map ownState(Map parameters) {
        Map known = state(parameters)
        return known.build == steps.env.BUILD_NUMBER ? known : [names: known.names]
    }

    /** Keeps it, also for steps outside of the folder, and tells the release. */
    void remember(Map parameters, Map known) {
        steps.env."${State.variable(parameters)}" = Result.json(known)
        Map outside = parameters + [folder: '']
        if (parameters.folder && !state(outside).stage) {
            steps.env."${State.variable(outside)}" = Result.json([folder: parameters.folder])
        }
        announce(Text.of(known.names?.service) ?: Text.of(parameters.service), Text.of(known.release))
    }

    /** Tells the release in ECS_RELEASE (one a build) and ECS_RELEASE_SERVICE. */
    void announce(String service, String release) {
        if (!release) { return }
        steps.env.ECS_RELEASE = release
        steps.env."${'ECS_RELEASE' + Target.suffix(service)}" = release
    }

    /** What this build calls the service: its resolved name and environment; more where another service has that already. */
    String label(Map parameters, Map names) {
        Map owners = Result.parse(Text.of(steps.env."${LABELS}"))
        String key = Target.key(parameters) ?: 'default'
        String found = ''
        for (String label in Target.labels(parameters, names ?: [:])) {
            if (!found && (owners[label] ?: key) == key) { found = label }
        }
        owners[found] = key
        steps.env."${LABELS}" = Result.json(owners)
        return found
    }

    /** Says how the release stands, in the log and, with the address of its page, in the service's part of the build's description. */
    void tell(Map parameters, Map names, String summary, String page) {
        String label = label(parameters, names)
        steps.echo("${label}: ${Text.line(summary)}".toString())
        List<String> others = Target.labels(parameters, [:]) // what it was called before its names were known
        List<String> labels = [label]
        for (String other in others) { if (other != label && mine(parameters, other)) { labels << other } }
        steps.currentBuild.description = Result.described(steps.currentBuild.description, labels, summary, page)
    }

    private boolean mine(Map parameters, String label) {
        return Result.parse(Text.of(steps.env."${LABELS}"))[label] == (Target.key(parameters) ?: 'default')
    }
}
