import ecspipeline.Parameters
import ecspipeline.Result
import ecspipeline.State
import ecspipeline.Target
import groovy.transform.Field

/** Below the limit of one environment variable, 128 KiB. */
@Field static final int MOST_LETTERS = 100000

/** What an earlier build left in this workspace is not this one's report. */
@Field static final String CLEAN = '''#!/bin/sh
mkdir -p "$ECS_PIPELINE_REPORTS"
rm -f "$ECS_PIPELINE_REPORTS/$ECS_PIPELINE_STAGE".* "$ECS_PIPELINE_REPORTS/TEST-ecs-pipeline-$ECS_PIPELINE_STAGE.xml"
'''
@Field static final String LAUNCHED = 'sh "$ECS_PIPELINE_LAUNCH" "$ECS_PIPELINE_STAGE"'
@Field static final String INSTALLED = '"$ECS_PIPELINE_EXECUTABLE" "$ECS_PIPELINE_STAGE"'

/** `status` prints its facts, and why it has none: both go to files, as sh returns either the output or the exit code. */
@Field static final String TO_FILES = ''' >"$ECS_PIPELINE_REPORTS/$ECS_PIPELINE_STAGE.json" 2>"$ECS_PIPELINE_REPORTS/$ECS_PIPELINE_STAGE.log"
code=$?
cat "$ECS_PIPELINE_REPORTS/$ECS_PIPELINE_STAGE.log" >&2
exit "$code"
'''

/**
 * The only bridge to Python: runs a command of ecs-pipeline on an agent, publishes its reports, returns STAGE.json as a map.
 * Options: `accept` lists exit codes that are returned as 0 is; `unpublished` those whose reports are not published.
 */
Map call(String command, Map parameters = [:], Map options = [:]) {
    return (Map) onAgent(command, parameters) { inside(command, parameters, options) }
}

/** Runs the body on the agent that is there already, else on one of its own. */
Object onAgent(String command, Map parameters, Closure body) {
    if (env.WORKSPACE != null) { return inFolder(parameters, body) }
    return node(Parameters.text(parameters.agent)) {
        if (Parameters.needsSources(command, parameters)) { checkOut(command) }
        return inFolder(parameters, body)
    }
}

/** Refuses parameters that a step does not take; adds the folder where they find the config, as Target has it. */
Map accepted(String step, Map parameters) {
    String problem = Parameters.problem(step, parameters)
    if (problem) { error(problem) }
    if (!Parameters.needsConfig(parameters)) { return parameters }
    String folder = here() ?: (State.follows(step) ? Parameters.text(state(parameters).folder) : '')
    return folder ? parameters + [folder: folder] : parameters
}

/** What this build, or the one it was restarted from, knows of the service's release: see State. */
Map state(Map parameters) {
    return Result.parse(Parameters.text(env."${State.variable(parameters)}"))
}

/** The same; empty when another build wrote it. */
Map ownState(Map parameters) {
    Map known = state(parameters)
    return known.build == env.BUILD_NUMBER ? known : [:]
}

/** Keeps it, also for steps outside of the folder, and tells the release. */
void remember(Map parameters, Map known) {
    env."${State.variable(parameters)}" = Result.json(known)
    Map outside = parameters + [folder: '']
    if (parameters.folder && !state(outside).stage) {
        env."${State.variable(outside)}" = Result.json([folder: parameters.folder])
    }
    announce(Parameters.text(known.evidence?.service) ?: Target.key(parameters), Parameters.text(known.release))
}

/** Tells the release in ECS_RELEASE (one a build) and ECS_RELEASE_SERVICE. */
void announce(String service, String release) {
    if (!release) { return }
    env.ECS_RELEASE = release
    env."${'ECS_RELEASE' + Target.suffix(service)}" = release
}

/** Says how the release stands, in the stage and in the service's part of the build's description. */
void tell(Map parameters, String summary) {
    String label = Target.label(parameters) ?: 'ecs'
    echo("${label}: ${summary}")
    currentBuild.description = Result.described(currentBuild.description, label, summary)
}

private Map inside(String command, Map parameters, Map options) {
    List<String> settings = prepared(command, parameters) // when this fails nothing has begun, and no report is this build's
    Map before = state(parameters)
    Map begun = State.begun(command, parameters, before, env.BUILD_NUMBER)
    if (begun) { remember(parameters, begun) }
    int status = -1
    try {
        status = execute(command, parameters, settings)
    } catch (e) {
        // Aborted, or the agent is gone: what goes wrong with the reports must not take that place.
        try {
            ended(command, parameters, status, before)
            publish(command, parameters)
        } catch (x) {
            echo("ecs-pipeline ${command}: its reports are not published: ${x.message}")
        }
        throw e
    }
    Map result = ended(command, parameters, status, before)
    if (!contains(options.unpublished, status)) { publish(command, parameters) }
    return judged(command, result, status, options)
}

/** What a command left, remembered and told. */
private Map ended(String command, Map parameters, int status, Map before) {
    Map result = report(command, parameters, status)
    Map begun = State.begun(command, parameters, before, env.BUILD_NUMBER)
    if (begun) {
        if (command == 'canary') { begun += [evidence: Result.evidence(result, Target.reports(parameters), env.GIT_COMMIT)] }
        remember(parameters, State.ended(begun, before, result, status))
    }
    if (command == 'rollback' && status == Result.DONE && !parameters.dryRun) {
        announce(Parameters.text(result.service), Parameters.text(result.release?.id))
    }
    if (begun || command == 'rollback') { tell(parameters, Result.summary(command, result, status)) }
    return result
}

private boolean contains(Object codes, int status) {
    return codes != null && ((List) codes).contains(status)
}

private Map judged(String command, Map result, int status, Map options) {
    if (status != Result.DONE && !contains(options.accept, status)) {
        String failure = Result.failure(command, result, status)
        if (status != Result.INCONCLUSIVE) { error(failure) }
        unstable(failure)
    }
    return result
}

/** The environment variables of a command: no value of a user's is ever part of a command line. */
private List<String> prepared(String command, Map parameters) {
    String reports = Target.reports(parameters)
    Map arguments = Parameters.options(command, parameters) + [reports: reports] + (command == 'status' ? [output: 'json'] : [:])
    String json = Result.json(arguments)
    if (json.length() > MOST_LETTERS) { error("ecs-pipeline ${command}: the parameters are longer than ${MOST_LETTERS} letters") }
    String program = parameters.executable ? "ECS_PIPELINE_EXECUTABLE=${parameters.executable}" : "ECS_PIPELINE_LAUNCH=${launcher(command, parameters)}"
    return ["ECS_PIPELINE_ARGS=${json}".toString(), "ECS_PIPELINE_STAGE=${command}".toString(), "ECS_PIPELINE_REPORTS=${reports}".toString(), program]
}

/** The command's exit code. */
private int execute(String command, Map parameters, List<String> settings) {
    String program = parameters.executable ? INSTALLED : LAUNCHED
    int status = -1
    withEnv(settings) {
        status = sh(label: "ecs-pipeline ${command} ${Target.label(parameters)}".toString().trim(), returnStatus: true, script: CLEAN + (command == 'status' ? program + TO_FILES : 'exec ' + program))
    }
    return status
}

/** The launch script with the package that it carries, laid down on the agent. */
private String launcher(String command, Map parameters) {
    String folder = launchFolder(command, parameters)
    writeFile(file: "${folder}/launch", text: carried('launch', 'Base64'), encoding: 'Base64')
    return "${folder}/launch"
}

private String carried(String name, String encoding) {
    try {
        return libraryResource(resource: "ecs_pipeline/${name}", encoding: encoding)
    } catch (e) {
        if (!e.message?.contains('ambiguous')) { throw e }
        // Jenkins takes the steps from the first of them, but tells nobody which that is.
        String cure = 'load one of them, or name an installed ecs-pipeline in `executable`'
        error("this build loads ecs-pipeline by two library names: ${cure} (${e.message})")
    }
}

/** Branches share the agent's folder for temporary files, which is no part of the workspace, whatever `dir` says. */
private String launchFolder(String command, Map parameters) {
    return "${env.WORKSPACE_TMP ?: pwd(tmp: true)}/ecs-pipeline-${command}-${Target.key(parameters)}".toString()
}

/** What the command reports, or why it does not. */
private Map report(String command, Map parameters, int status) {
    String reports = Target.reports(parameters)
    Map told = [stage: command, exit_code: status]
    if (fileExists("${reports}/${command}.json")) {
        told += Result.parse(readFile(file: "${reports}/${command}.json", encoding: 'UTF-8'))
    }
    if (status > 0 && told.message == null) { told += [message: reason(command, parameters)] }
    return told
}

/** What the launch script wrote down, or `status` said; '' when it is not known. */
private String reason(String command, Map parameters) {
    String launchError = "${launchFolder(command, parameters)}/launch-error"
    if (!parameters.executable && fileExists(launchError)) { return readFile(file: launchError, encoding: 'UTF-8').trim() }
    String log = "${Target.reports(parameters)}/${command}.log"
    return command == 'status' && fileExists(log) ? Result.lastWords(readFile(file: log, encoding: 'UTF-8')) : ''
}

/** JUnit, artifacts and the page of a command, also of one that was aborted; `status` leaves none. */
void publish(String command, Map parameters) {
    if (command == 'status') { return }
    String reports = Target.reports(parameters)
    junit(testResults: "${reports}/TEST-ecs-pipeline-${command}.xml", allowEmptyResults: true, skipPublishingChecks: true,
        skipMarkingBuildUnstable: true, keepProperties: true, keepLongStdio: true)
    archiveArtifacts(artifacts: "${reports}/${command}.*,${reports}/${command}-*.svg,${reports}/TEST-ecs-pipeline-${command}.xml",
        allowEmptyArchive: true)
    if (fileExists("${reports}/${command}.html")) { publishPage(command, parameters, reports) }
}

private void publishPage(String command, Map parameters, String reports) {
    String name = "ECS ${command} ${Target.label(parameters)}".toString().trim()
    try {
        publishHTML(target: [reportName: name, reportDir: reports, reportFiles: "${command}.html", includes: "${command}*",
                             keepAll: true, alwaysLinkToLastBuild: false, allowMissing: true])
    } catch (NoSuchMethodError e) {
        if (!e.message?.contains("'publishHTML'")) { throw e }
    }
}

/** The folder of a `dir` block, inside the workspace; '' at its top and outside of an agent. */
private String here() {
    if (env.WORKSPACE == null) { return '' }
    String folder = pwd()
    return folder.startsWith(env.WORKSPACE + '/') ? folder.substring(env.WORKSPACE.length() + 1) : ''
}

/** What follows a canary reads the config where the canary did. */
private Object inFolder(Map parameters, Closure body) {
    if (!parameters.folder || parameters.folder == here()) { return body() }
    return dir("${env.WORKSPACE}/${parameters.folder}".toString()) { body() }
}

/** A step that brought its own agent finds config and sources there, as a Declarative stage does; once among the changes. */
private void checkOut(String command) {
    boolean listed = command == 'canary'
    try {
        checkout(scm: scm, changelog: listed, poll: listed)
    } catch (e) {
        if (!e.message?.contains('checkout scm') && !e.message?.startsWith('No such property: scm')) { throw e }
        echo('ecs-pipeline: this job has no sources; the config and the image are looked for in an empty workspace')
    }
}
