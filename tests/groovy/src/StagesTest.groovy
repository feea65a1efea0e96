import harness.*
import org.junit.Test

/** Each step that runs one command: what it hands over, what it returns, what it publishes, how the build ends. */
class StagesTest extends LibraryTestCase {
    static final String CALL = "ecsCanary(cluster: 'shop', service: 'api', image: 'x:1')"

    @Test void handsItsParametersOver() {
        Map result = h.callGlobal('ecsCanary', [cluster: 'shop', service: 'api', image: "x:${1}", roleArn: 'arn:r', dryRun: false, release: 'r9', region: '', config: null]) as Map
        assert result.release.id == 'r9' && result.canary.share == 25.0 && result.exit_code == 0
        assert cli.options('canary') == [cluster: 'shop', service: 'api', image: 'x:1', role_arn: 'arn:r', dry_run: false, release: 'r9', reports: 'ecs-pipeline-reports/api-shop']
    }
    @Test void tellsTheReleaseInTheBuild() {
        assert scripted(CALL) == 'SUCCESS'
        assert env().ECS_RELEASE == 'r1' && env().ECS_RELEASE_API == 'r1'
        assert h.build.description == 'api shop: r1 canary 25.0 %'
    }
    @Test void servicesInParallelKeepTheirOwnReleases() {
        cli.answers.canary = { Map o -> [0, [release: [id: 'r-' + o.service]]] }
        assert scripted('''
            parallel(api: { node { ecsCanary(service: 'api', cluster: 'c'); } }, web: { node { ecsCanary(service: 'web', cluster: 'c') } })
            node { ecsPromote(service: 'api', cluster: 'c'); ecsPromote(service: 'web', cluster: 'c') }''') == 'SUCCESS'
        assert cli.allOptions('promote')*.release == ['r-api', 'r-web']
        assert env().ECS_RELEASE_API == 'r-api' && env().ECS_RELEASE_WEB == 'r-web'
        assert cli.allOptions('canary')*.reports == ['ecs-pipeline-reports/api-c', 'ecs-pipeline-reports/web-c']
        assert h.build.description == 'api c: r-api promoted; web c: r-web promoted'
    }
    @Test void regionsAndConfigsOfOneServiceAreKeptApart() {
        scripted('''node { ecsCanary(service: 'api', region: 'eu-west-1'); ecsCanary(service: 'api', region: 'us-east-1')
            ecsCanary(config: './services/web/ecs-pipeline.yml'); ecsCanary(config: 'b.yml'); ecsCanary() }''')
        assert cli.allOptions('canary')*.reports*.toString() == ['api-eu-west-1', 'api-us-east-1', 'services-web', 'b'].collect { "ecs-pipeline-reports/${it}".toString() } + ['ecs-pipeline-reports']
    }
    @Test void aFailureIsTheBuildsErrorAndFirstLine() {
        [1, 2, 3, 4].each { int code ->
            newBuild()
            cli.answers.canary = { [code, [message: 'task 1f stopped: exit 3', cure: 'correct it']] }
            assert scripted(CALL) == 'FAILURE'
            assert h.failure.message == "task 1f stopped: exit 3; correct it (ecs-pipeline canary, exit ${code})"
            assert h.failure instanceof hudson.AbortException
        }
    }
    @Test void aCommandThatDiesWithoutAReportFails() {
        cli.answers.canary = { ['nothing', [:]] }
        h.steps.sh = { StepCall c -> 127 }
        assert scripted(CALL) == 'FAILURE'
        assert h.failure.message == 'ecs-pipeline canary ended with exit 127 and no report: the lines before this say why'
    }
    @Test void aCommandThatCannotBeStartedSaysWhy() {
        h.steps.sh = { StepCall c -> cli.files['/ws@tmp/ecs-pipeline-canary-api-shop/launch-error'] = 'no Python 3.10 or newer: install one\n'; 4 }
        assert scripted(CALL) == 'FAILURE'
        assert h.failure.message == 'no Python 3.10 or newer: install one (ecs-pipeline canary, exit 4)'
    }
    @Test void inconclusiveChecksMakeItUnstableAndGoOn() {
        cli.answers.canary = { [5, [message: 'check answers had no data']] }
        assert scripted("def r = ${CALL}; echo \"and on with \${r.outcome}\"") == 'UNSTABLE'
        assert echoes.contains('and on with inconclusive')
        assert unstable == ['check answers had no data; do something (ecs-pipeline canary, exit 5)']
        assert h.build.description == 'api shop: r1 canary 25.0 %, inconclusive'
    }
    @Test void anAbortIsPublishedAndStaysAnAbort() {
        cli.answers.canary = { [143, [message: 'interrupted during bake']] }
        assert scripted(CALL) == 'ABORTED'
        assert calls('junit') && calls('archiveArtifacts')
        assert h.build.description == 'api shop: r1 canary interrupted'
    }
    @Test void whatGoesWrongAfterAnAbortDoesNotHideIt() {
        cli.answers.canary = { [143, [message: 'interrupted during bake']] }
        h.steps.junit = { StepCall c -> throw new IOException('channel is closed') }
        assert scripted(CALL) == 'ABORTED'
        assert echoes.last() == 'ecs-pipeline canary: its reports are not published: channel is closed'
        newBuild()
        cli.answers.canary = { [143, [:]] }
        h.steps.fileExists = { StepCall c -> throw new IOException('agent went offline') }
        assert scripted(CALL) == 'ABORTED'
    }
    @Test void whatIsNotPublishedIsNotForgotten() {
        h.steps.junit = { StepCall c -> throw new IOException('no space left') }
        assert scripted("node { try { ${CALL} } catch (e) { echo e.message }; ecsRollback(cluster: 'shop', service: 'api') }") == 'FAILURE' : 'the rollback publishes, too'
        assert cli.options('rollback').subMap(['release', 'canary']) == [release: 'r1', canary: true] && env().ECS_RELEASE == 'r1'
    }
    @Test void publishesReports() {
        cli.answers.canary = { cli.files['ecs-pipeline-reports/api-shop/canary.html'] = 'x'; [0, [:]] }
        scripted(CALL)
        assert calls('junit')*.named == [[testResults: 'ecs-pipeline-reports/api-shop/TEST-ecs-pipeline-canary.xml', allowEmptyResults: true, skipPublishingChecks: true,
                                          skipMarkingBuildUnstable: true, keepProperties: true, keepLongStdio: true]]
        assert calls('archiveArtifacts')[0].named.artifacts.startsWith('ecs-pipeline-reports/api-shop/canary.*,')
        Map page = calls('publishHTML')[0].named.target
        assert page.reportName == 'ECS canary api shop' && page.reportFiles == 'canary.html' && page.includes == 'canary*'
    }
    @Test void worksWithoutTheHtmlPublisher() {
        h.steps.remove('publishHTML')
        cli.answers.canary = { cli.files['ecs-pipeline-reports/api-shop/canary.html'] = 'x'; [0, [:]] }
        assert scripted(CALL) == 'SUCCESS'
    }
    @Test void outsideOfAnAgentItBringsOne() {
        assert scripted("ecsCanary(environment: 'prd', agent: 'linux')") == 'SUCCESS'
        assert calls('node')*.first == ['linux'] && calls('checkout').size() == 1
    }
    @Test void withoutConfigItsOwnAgentNeedsNoSources() {
        scripted(CALL)
        assert calls('node').size() == 1 && !calls('checkout')
    }
    @Test void aJobWithoutSourcesIsTold() {
        h.steps.checkout = { StepCall c -> throw new hudson.AbortException('‘checkout scm’ is only available when using “Pipeline script from SCM”') }
        assert scripted("ecsStatus(environment: 'prd')") == 'SUCCESS'
        h.variables.remove('scm')
        assert scripted("ecsStatus(environment: 'prd')") == 'SUCCESS'
        h.variables.scm = 'git'
        h.steps.checkout = { StepCall c -> throw new hudson.AbortException('no such branch') }
        assert scripted("ecsStatus(environment: 'prd')") == 'FAILURE'
    }
    @Test void itsOwnCheckoutsAreAmongTheChangesOnce() {
        scripted("ecsCanary(environment: 'prd'); ecsApprove(environment: 'prd'); ecsPromote(environment: 'prd')")
        assert calls('checkout')*.named*.subMap(['scm', 'changelog', 'poll']) == [[scm: 'git', changelog: true, poll: true], [scm: 'git', changelog: false, poll: false]]
    }
    @Test void insideOfAnAgentItUsesIt() {
        scripted("node('x') { ecsCanary(environment: 'prd', agent: 'linux') }")
        assert calls('node')*.first == ['x'] && !calls('checkout')
    }
    @Test void noValueOfAUserIsPartOfAScript() {
        String nasty = '$(touch x); `id` "\' ${HOME}\n😀'
        scripted("node { ecsCanary(cluster: params.NASTY, service: params.NASTY, image: params.NASTY, executable: params.NASTY) }".replace('params.NASTY', groovy.json.JsonOutput.toJson(nasty).replace('$', '\\$')))
        assert cli.options('canary').image == nasty
        assert cli.shells.every { StepCall c -> c.named.script.startsWith('#!/bin/sh\n') && !c.named.script.contains('touch') && !c.named.script.contains('😀') }
        assert env().findAll { k, v -> k.toString().startsWith('ECS_PIPELINE_STATE') }.values().every { !it.contains('$') }
    }
    @Test void tooLongParametersAreRefusedBeforeTheAgentDies() {
        assert scripted("node { ecsCanary(image: 'x' * 100001) }") == 'FAILURE'
        assert h.failure.message == 'ecs-pipeline canary: the parameters are longer than 100000 letters'
    }
    @Test void whatNeverBeganHasNoReport() {
        cli.files['ecs-pipeline-reports/api-shop/canary.json'] = '{"outcome": "passed", "release": {"id": "of an earlier build"}}'
        h.steps.writeFile = { StepCall c -> throw new IOException('no space left') }
        assert scripted("node { try { ${CALL} } finally { ecsRollback(cluster: 'shop', service: 'api') } }") == 'FAILURE' && h.failure.message == 'no space left'
        assert !env().ECS_RELEASE && !calls('junit') && echoes == [] && unstable[0].contains('this build began no release')
    }
    @Test void anInstalledProgramMayBeUsedInstead() {
        scripted("node { ecsCanary(executable: '/opt/ecs-pipeline') }")
        assert cli.shells[0].named.script.endsWith('exec "$ECS_PIPELINE_EXECUTABLE" "$ECS_PIPELINE_STAGE"')
        assert !calls('libraryResource')
    }
    @Test void itsOwnProgramLiesInAFolderOfItsOwn() {
        scripted("node { ecsCanary(service: 'api') }")
        assert calls('writeFile')*.named*.subMap(['file', 'encoding']) == [[file: '/ws@tmp/ecs-pipeline-canary-api/launch', encoding: 'Base64']]
    }
    @Test void statusTellsWhatRuns() {
        cli.answers.status = { [0, [canary: [release: 'r2', share: 25.0, verdict: '']]] }
        assert scripted("node { echo(\"\${ecsStatus(service: 'api').release}\") }") == 'SUCCESS'
        assert echoes == ['shop/api: release r0, 3 of 3 tasks run; canary r2 takes 25.0 %, verdict none yet', 'r0']
        assert cli.options('status').output == 'json' && cli.shells[0].named.script.contains('>"$ECS_PIPELINE_REPORTS/$ECS_PIPELINE_STAGE.json"')
        assert !calls('junit') && !env().ECS_RELEASE
    }
    @Test void statusThatFailsSaysWhy() {
        h.steps.sh = { StepCall c ->
            cli.files['ecs-pipeline-reports/api/status.json'] = ''
            cli.files['ecs-pipeline-reports/api/status.log'] = 'ecs-pipeline: installing 0.1.0 once for this agent: /x\necs-pipeline: no cluster shop; create it\n  a detail: more\n'
            2
        }
        assert scripted("node { ecsStatus(service: 'api') }") == 'FAILURE'
        assert h.failure.message == 'no cluster shop; create it (ecs-pipeline status, exit 2)'
        cli.files['/ws@tmp/ecs-pipeline-status-api/launch-error'] = 'no Python 3.10 or newer: install one\n'
        scripted("node { ecsStatus(service: 'api') }")
        assert h.failure.message == 'no Python 3.10 or newer: install one (ecs-pipeline status, exit 2)'
    }
    @Test void aDryRunLeavesNoTrace() {
        assert scripted("node { ecsCanary(service: 'api', dryRun: true) }") == 'SUCCESS'
        assert !env().ECS_RELEASE && !h.build.description
    }
    @Test void promoteTakesTheReleaseOfItsOwnServiceThenOfTheBuild() {
        env().ECS_RELEASE = 'other'
        scripted("node { ecsPromote(service: 'api') }")
        scripted("node { ecsCanary(service: 'web', release: 'mine'); ecsPromote(service: 'web') }")
        scripted("node { ecsPromote(service: 'web', release: 'given') }")
        env().ECS_RELEASE_DB = 'told'
        scripted("node { ecsPromote(service: 'db') }")
        assert cli.allOptions('promote')*.release == ['other', 'mine', 'given', 'told']
    }
}
