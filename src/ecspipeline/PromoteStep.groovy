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
        if (known.release == release) { wanted += approved(parameters, (Map) (known.approval ?: [:]), (Map) (known.evidence ?: [:])) }
        return Shown.plan(steps, 'ecsPromote', wanted, commandLine.run('promote', wanted))
    }

    /** Who said yes, and to which image, epoch and revision: what this build's canary was, and was shown as. What lives by now is not asked. */
    private static Map approved(Map parameters, Map approval, Map shown) {
        Map said = [approvedBy: Text.of(parameters.approvedBy) ?: approval.by, comment: Text.of(parameters.comment) ?: approval.comment]
        return said + [
            digest: Text.of(parameters.digest) ?: shown.digest, epoch: Text.of(parameters.epoch) ?: shown.epoch,
            taskDefinition: Text.of(parameters.taskDefinition) ?: shown.revision,
        ]
    }

    /** The release of this service, else of the build, by whichever step it was told. */
    private String announced(Map parameters, Map known) {
        String service = Text.of(parameters.service) ?: Text.of(known.names?.service)
        return Text.of(steps.env."${'ECS_RELEASE' + Target.suffix(service)}") ?: Text.of(steps.env.ECS_RELEASE)
    }
}
