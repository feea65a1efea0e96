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
@Field static final String LAUNCHED = 'exec sh "$ECS_PIPELINE_LAUNCH" "$ECS_PIPELINE_STAGE"'
@Field static final String INSTALLED = 'exec "$ECS_PIPELINE_EXECUTABLE" "$ECS_PIPELINE_STAGE"'

/** `status` prints its facts: they go to a file, as sh returns either the output or the exit code. */
@Field static final String TO_FILE = ' >"$ECS_PIPELINE_REPORTS/$ECS_PIPELINE_STAGE.json"'

/**
 * The only bridge to Python: runs a command of ecs-pipeline on an agent, publishes its reports, returns STAGE.json as a map.
 * Options: `accept` lists exit codes that are returned as 0 is; `unpublished` those whose reports are not published.
 */
Map call(String command, Map parameters = [:], Map options = [:]) {
    return (Map) onAgent(command, parameters) { inside(command, parameters, options) }
}

/** Runs the body on the agent that is there already, else on one of its own. */
Object onAgent(String command, Map parameters, Closure body) {
    if (env.WORKSPACE != null) { return body() }
    return node(Parameters.text(parameters.agent)) {
        if (Parameters.needsSources(command, parameters)) { checkOut() }
        return body()
    }
}

/** Refuses parameters that a step does not take: the first line of each. */
void check(String step, Map parameters) {
    String problem = Parameters.problem(step, parameters)
    if (problem) { error(problem) }
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

/** Keeps it, and tells the release in ECS_RELEASE (one a build) and ECS_RELEASE_SERVICE. */
void remember(Map parameters, Map known) {
    env."${State.variable(parameters)}" = Result.json(known)
    if (known.release) {
        String service = known.evidence?.service ?: Target.key(parameters)
        env.ECS_RELEASE = known.release
        env."${'ECS_RELEASE' + Target.suffix(service)}" = known.release
    }
}

/** Says how the release stands, in the stage and in the service's part of the build's description. */
void tell(Map parameters, String summary) {
    String label = Target.label(parameters) ?: 'ecs'
    echo("${label}: ${summary}")
    currentBuild.description = Result.described(currentBuild.description, label, summary)
}

private Map inside(String command, Map parameters, Map options) {
    String reports = Target.reports(parameters)
    Map before = state(parameters)
    Map begun = State.begun(command, parameters, before, env.BUILD_NUMBER)
    if (begun) { remember(parameters, begun) }
    Map result = [:]
    int status = -1
    try {
        status = execute(command, parameters, reports)
    } finally {
        result = report(command, parameters, status, reports)
        if (!contains(options.unpublished, status)) { publish(command, parameters) }
        if (begun) {
            if (command == 'canary') { begun += [evidence: Result.evidence(result, reports, env.GIT_COMMIT)] }
            remember(parameters, State.ended(begun, before, result, status))
        }
        if (begun || command == 'rollback') { tell(parameters, Result.summary(command, result, status)) }
    }
    return judged(command, result, status, options)
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

/** The command's exit code. No value of a user's is ever part of a command line. */
private int execute(String command, Map parameters, String reports) {
    Map arguments = Parameters.options(command, parameters) + [reports: reports] + (command == 'status' ? [output: 'json'] : [:])
    String json = Result.json(arguments)
    if (json.length() > MOST_LETTERS) { error("ecs-pipeline ${command}: the parameters are longer than ${MOST_LETTERS} letters") }
    String program = parameters.executable ? INSTALLED : LAUNCHED
    String path = parameters.executable ?: launcher(command, parameters)
    int status = -1
    withEnv(["ECS_PIPELINE_ARGS=${json}", "ECS_PIPELINE_STAGE=${command}", "ECS_PIPELINE_REPORTS=${reports}",
             "${parameters.executable ? 'ECS_PIPELINE_EXECUTABLE' : 'ECS_PIPELINE_LAUNCH'}=${path}"]) {
        String label = "ecs-pipeline ${command} ${Target.label(parameters)}".trim()
        status = sh(label: label, returnStatus: true, script: CLEAN + program + (command == 'status' ? TO_FILE : ''))
    }
    return status
}

/** The launch script with the package that it carries, laid down on the agent. */
private String launcher(String command, Map parameters) {
    String folder = launchFolder(command, parameters)
    for (String name in ['launch', 'requirements.txt']) {
        writeFile(file: "${folder}/${name}", text: libraryResource("ecs_pipeline/${name}"), encoding: 'UTF-8')
    }
    String packed = libraryResource(resource: 'ecs_pipeline/package.zip', encoding: 'Base64')
    writeFile(file: "${folder}/package.zip", text: packed, encoding: 'Base64')
    return "${folder}/launch"
}

/** Branches share the agent's folder for temporary files. */
private String launchFolder(String command, Map parameters) {
    return "${pwd(tmp: true)}/ecs-pipeline-${command}-${Target.key(parameters)}".toString()
}

/** What the command reports, or why it could not be started. */
private Map report(String command, Map parameters, int status, String reports) {
    Map told = [stage: command, exit_code: status]
    String file = "${reports}/${command}.json"
    if (fileExists(file)) { return told + Result.parse(readFile(file: file, encoding: 'UTF-8')) }
    String launchError = "${launchFolder(command, parameters)}/launch-error"
    if (status > 0 && !parameters.executable && fileExists(launchError)) {
        told += [message: readFile(file: launchError, encoding: 'UTF-8').trim()]
    }
    return told
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
    String name = "ECS ${command} ${Target.label(parameters)}".trim()
    try {
        publishHTML(target: [reportName: name, reportDir: reports, reportFiles: "${command}.html", includes: "${command}*",
                             keepAll: true, alwaysLinkToLastBuild: false, allowMissing: true])
    } catch (NoSuchMethodError e) {
        if (!e.message?.contains("'publishHTML'")) { throw e }
    }
}

/** A step that brought its own agent finds the config and the sources there, as a Declarative stage does. */
private void checkOut() {
    try {
        checkout(scm)
    } catch (e) {
        if (!e.message?.contains('checkout scm') && !e.message?.startsWith('No such property: scm')) { throw e }
        echo('ecs-pipeline: this job has no sources; the config and the image are looked for in an empty workspace')
    }
}
