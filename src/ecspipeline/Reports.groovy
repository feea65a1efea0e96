package ecspipeline

/** What of a command's reports a build keeps: test results, artifacts, and one link to the page of the release. */
class Reports implements Serializable {

    private static final long serialVersionUID = 1L

    Object steps

    Reports(Object steps) {
        this.steps = steps
    }

    /** Test results and artifacts. The cases of a command that was cut short are no test results: they would fail for nobody's fault. */
    void publish(String command, Map parameters, boolean aborted) {
        String folder = Target.reports(parameters)
        String cases = "${folder}/TEST-ecs-pipeline-${command}.xml"
        if (!aborted) {
            steps.junit(testResults: cases, allowEmptyResults: true, skipPublishingChecks: true, skipMarkingBuildUnstable: true, keepProperties: true, keepLongStdio: true)
        }
        String files = "${folder}/release.html,${folder}/index.html,${folder}/*.css,${folder}/${command}.html,${folder}/${command}.json,${folder}/${command}-*.svg"
        steps.archiveArtifacts(artifacts: aborted ? "${files},${cases}".toString() : files, allowEmptyArchive: true, followSymlinks: false)
    }

    /** The link at the left of the build, where HTML Publisher is installed. Each call adds one. */
    void link(Map parameters, String label) {
        try {
            steps.publishHTML(target: [reportName: "ECS ${label}".toString(), reportDir: Target.reports(parameters), reportFiles: 'release.html,index.html', reportTitles: 'Release,Newest stage',
                                       includes: '*.html,*.css,*.svg', keepAll: true, alwaysLinkToLastBuild: false, allowMissing: true])
        } catch (NoSuchMethodError e) {
            if (!e.message?.contains("'publishHTML'")) { throw e }
        }
    }
}
