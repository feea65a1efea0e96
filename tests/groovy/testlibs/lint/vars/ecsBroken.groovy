import com.cloudbees.groovy.cps.NonCPS

Map call(List names) {
    String unused = 'x'
    try {
        names.sort { it.length() }
    } catch (Throwable e) {
        echo('swallowed')
    }
    return [:]
}

@NonCPS
void notCps() {
    call(['a'])
}
