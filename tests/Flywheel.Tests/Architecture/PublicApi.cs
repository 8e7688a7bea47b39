using System.Reflection;
using System.Runtime.CompilerServices;

namespace Flywheel.Tests.Architecture;

/// <summary>The public API of an assembly in words, a line per type and member, sorted.</summary>
/// <remarks>Without what the compiler adds to records. Attributes, nullability of references and default values are not seen.</remarks>
static class PublicApi
{
    public static IReadOnlyList<string> Of(Assembly assembly) =>
    [
        .. assembly.GetExportedTypes().SelectMany(type => Members(type).Select(member => $"{Name(type)}.{member}").Prepend(Head(type)))
            .Distinct().Order(StringComparer.Ordinal),
    ];

    static string Head(Type type)
    {
        var kind = type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct"
            : type.IsAbstract && type.IsSealed ? "static class" : type.IsAbstract ? "abstract class" : type.IsSealed
            ? "sealed class" : "class";
        Type?[] bases = [type.BaseType == typeof(object) || type.IsValueType ? null : type.BaseType, .. type.GetInterfaces()];
        var over = bases.OfType<Type>().Where(each => each.IsVisible).Select(Name).Order(StringComparer.Ordinal).ToArray();
        return $"{kind} {Name(type)}{(over.Length == 0 || type.IsEnum ? "" : " : " + string.Join(", ", over))}";
    }

    static IEnumerable<string> Members(Type type)
    {
        const BindingFlags All =
            BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        if (type.IsEnum)
            return type.GetFields(BindingFlags.Public | BindingFlags.Static)
                .Select(field => $"{field.Name} = {Convert.ToInt64(field.GetRawConstantValue())}");
        if (typeof(Delegate).IsAssignableFrom(type))
            return [Method(type.GetMethod("Invoke")!)];
        var properties = type.GetProperties(All)
            .Where(property => property.GetAccessors(nonPublic: true).Any(IsSeen) && property.Name != "EqualityContract").Select(Property);
        var fields = type.GetFields(All).Where(field => field.IsPublic || field.IsFamily)
            .Select(field => $"{field.Name}: {Name(field.FieldType)}{(field.IsLiteral ? $" = {field.GetRawConstantValue()}" : "")}");
        var constructors = type.GetConstructors(All).Where(constructor => IsSeen(constructor) && !IsGenerated(constructor))
            .Select(constructor => $"new({Parameters(constructor)})");
        var methods = type.GetMethods(All)
            .Where(method => IsSeen(method) && !IsGenerated(method)
            && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal))
            && !method.Name.Contains('<', StringComparison.Ordinal)).Select(Method);
        var events = type.GetEvents(All).Where(each => each.AddMethod is { } add && IsSeen(add))
            .Select(each => $"event {each.Name}: {Name(each.EventHandlerType!)}");
        return [.. properties, .. fields, .. constructors, .. methods, .. events];
    }

    static bool IsSeen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    /// <summary>What the compiler adds to every record.</summary>
    static bool IsGenerated(MethodBase method) => method.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false);

    static string Property(PropertyInfo property)
    {
        var set = property.SetMethod is { } setter && IsSeen(setter)
            ? setter.ReturnParameter.GetRequiredCustomModifiers().Length > 0 ? " init" : " set" : "";
        var index = property.GetIndexParameters();
        return $"{property.Name}{(index.Length == 0 ? "" : $"[{string.Join(", ", index.Select(each => Name(each.ParameterType)))}]")}: "
            + $"{Name(property.PropertyType)}{(property.GetMethod is { } getter && IsSeen(getter) ? " get" : "")}{set}";
    }

    static string Method(MethodInfo method) =>
        $"{method.Name}{(method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(each => each.Name))}>" : "")}({Parameters(method)}): {Name(method.ReturnType)}{(method.IsStatic ? " static" : method.IsAbstract ? " abstract" : "")}";

    static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters()
        .Select(each => $"{Name(each.ParameterType)} {each.Name}{(each.IsOptional ? "?" : "")}"));

    static string Name(Type type)
    {
        if (type.IsGenericParameter)
            return type.Name;
        if (type.IsByRef)
            return "ref " + Name(type.GetElementType()!);
        if (type.IsArray)
            return Name(type.GetElementType()!) + "[]";
        var name = type.DeclaringType is { } outer ? $"{Name(outer)}.{type.Name}" : $"{type.Namespace}.{type.Name}";
        var arguments = type.GetGenericArguments();
        return arguments.Length == 0 ? name : $"{name.Split('`')[0]}<{string.Join(", ", arguments.Select(Name))}>";
    }
}
