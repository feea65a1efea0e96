package harness

/** What each step takes. The first name is what an unnamed argument means, `!` marks what is required; a step that is not here is refused. */
class Signatures {
    /** These need a workspace; called outside `node` they fail, as in Jenkins. */
    static final Map<String, String> IN_NODE = [
        sh: 'script! returnStatus returnStdout label encoding', writeFile: 'file! text! encoding', readFile: 'file! encoding', fileExists: 'file!', pwd: 'tmp', isUnix: '',
        dir: 'path!', ws: 'dir!', deleteDir: '', checkout: 'scm! poll changelog', stash: 'name! includes excludes useDefaultExcludes allowEmpty', unstash: 'name!',
        junit: 'testResults! allowEmptyResults keepLongStdio keepProperties keepTestNames healthScaleFactor skipPublishingChecks skipMarkingBuildUnstable checksName stdioRetention testDataPublishers skipOldReports',
        archiveArtifacts: 'artifacts! allowEmptyArchive excludes fingerprint onlyIfSuccessful defaultExcludes caseSensitive followSymlinks', publishHTML: 'target!',
    ]
    static final Map<String, String> ANYWHERE = [
        echo: 'message!', error: 'message!', unstable: 'message!', catchError: 'message buildResult stageResult catchInterruptions', warnError: 'message! catchInterruptions',
        mail: 'to! subject! body! from cc bcc replyTo charset mimeType',
        input: 'message! id ok cancel parameters submitter submitterParameter', milestone: 'ordinal label', sleep: 'time! unit', timeout: 'time! unit activity', retry: 'count! conditions',
        lock: 'resource label quantity variable inversePrecedence skipIfLocked extra priority', node: 'label', stage: 'name!', script: '', timestamps: '', withEnv: 'overrides!', withCredentials: 'bindings!',
        withAWS: 'region endpointUrl credentials role roleAccount externalId profile federatedUserId policy duration roleSessionName samlAssertion principalArn useNode iamMfaToken',
        podTemplate: 'yaml label containers', container: 'name!', readTrusted: 'path!',
        libraryResource: 'resource! encoding', library: 'identifier! changelog retriever', build: 'job! parameters wait propagate quietPeriod waitForStart', pipeline: '', parallel: '*',
    ]
    /** Not steps but values, for `input(parameters: …)` and `withCredentials`. */
    static final Map<String, String> VALUES = [
        string: 'name defaultValue description trim credentialsId variable', text: 'name! defaultValue description', booleanParam: 'name! defaultValue description', choice: 'name! choices! description',
        usernamePassword: 'credentialsId! usernameVariable! passwordVariable!', file: 'credentialsId! variable!',
    ]
    static final Map<String, String> ALL = IN_NODE + ANYWHERE + VALUES

    static String problem(StepCall c) {
        String takes = ALL[c.name]
        if (takes == null) { return "${c.name}: not in Signatures, add what it takes" }
        if (takes == '*') { return null }
        List<String> words = takes.tokenize(), names = words*.replace('!', '')
        List plain = c.args.findAll { !(it instanceof Closure) }
        Set given = plain && plain[0] instanceof Map ? ((Map) plain[0]).keySet().collect { it.toString() } as Set : (plain ? [names ? names[0] : '(argument)'] as Set : [] as Set)
        Set unknown = given - names, missing = words.findAll { it.endsWith('!') }*.replace('!', '') as Set
        missing -= given
        return unknown || missing ? "${c.name}: ${unknown ? 'unknown ' + unknown : ''}${missing ? 'missing ' + missing : ''}; it takes ${names}".toString() : null
    }
}
