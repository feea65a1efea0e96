package ecspipeline

/** ecsPromote: the whole service follows the canary. */
class PromoteStep implements Serializable {

    private static final long serialVersionUID = 1L

    Object steps
    CommandLine commandLine

    PromoteStep(Object steps) {
        this.steps = steps
        commandLine = new CommandLine(steps)
    }

    Map run(Map parameters) {
        Map wanted = commandLine.accepted('ecsPromote', parameters)
        Map known = commandLine.memory.state(wanted)
        String release = Text.of(parameters.release) ?: known.release ?: announced(parameters, known)
        wanted += [release: release]
        if (known.release == release && known.approval) {
            wanted += [approvedBy: Text.of(parameters.approvedBy) ?: known.approval.by, comment: Text.of(parameters.comment) ?: known.approval.comment]
        }
        return Shown.plan(steps, 'ecsPromote', wanted, commandLine.run('promote', wanted))
    }

    /** The release of this service, else of the build, by whichever step it was told. */
    private String announced(Map parameters, Map known) {
        String service = Text.of(parameters.service) ?: Text.of(known.names?.service)
        return Text.of(steps.env."${'ECS_RELEASE' + Target.suffix(service)}") ?: Text.of(steps.env.ECS_RELEASE)
    }
}
